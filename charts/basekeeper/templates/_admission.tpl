{{/*
Validations of a policy for Nodes: nothing changes but annotations, and who owns which field changes as the API server itself changes it.
It takes owners away as annotations change hands. It adds the one that writes: `owner`, to the annotations `keys`. Beyond ten owners it merges
the oldest of them into "ancient-changes", which is not judged then. The policy has the variable `owners`: those before.
*/}}
{{- define "basekeeper.nodeUntouched" -}}
- expression: >-
    object.?spec == oldObject.?spec && object.?metadata.?labels == oldObject.?metadata.?labels &&
    object.?metadata.?finalizers == oldObject.?metadata.?finalizers && object.?metadata.?ownerReferences == oldObject.?metadata.?ownerReferences &&
    object.?metadata.?generateName == oldObject.?metadata.?generateName && object.?metadata.?selfLink == oldObject.?metadata.?selfLink
  message: {{ .who }} changes nothing of a Node but its annotations.
- expression: >-
    dyn(object).?metadata.?managedFields.orValue([]).all(now,
    (now.?manager.orValue('') == 'ancient-changes' && size(variables.owners) >= 10) ||
    {{- if .owner }}
    (now.?manager.orValue('') == '{{ .owner }}' && now.?subresource.orValue('') == '' && now.?fieldsV1.orValue({}).all(key,
    key == 'f:metadata' && now.fieldsV1[key].all(part, part == 'f:annotations' && now.fieldsV1[key][part].all(name,
    name in ['.', {{ range .keys }}'f:{{ . }}', {{ end }}])))) ||
    {{- end }}
    variables.owners.exists(was, now.?manager == was.?manager && now.?operation == was.?operation && now.?subresource == was.?subresource &&
    now.?apiVersion == was.?apiVersion && now.?fieldsV1.orValue({}).all(key, key == 'f:metadata'
    ? now.fieldsV1[key].all(part, part == 'f:annotations'
    ? now.fieldsV1[key][part].all(name, was.?fieldsV1[?key][?part][?name].hasValue())
    : was.?fieldsV1[?key][?part] == optional.of(now.fieldsV1[key][part]))
    : was.?fieldsV1[?key] == optional.of(now.fieldsV1[key]))))
  message: {{ .who }} leaves it to the API server who owns which field of a Node.
{{- end -}}
