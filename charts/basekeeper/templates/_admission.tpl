{{/*
Validations of a policy for Nodes: nothing changes but annotations, and who owns which field changes as the API server itself changes it.
It takes owners away as annotations change hands, and adds the one that writes. Beyond ten owners it merges the oldest of them into "ancient-changes":
then nothing is there that none of them had. No field of a Node is deeper than five names. The policy has the variables of "basekeeper.owners".
*/}}
{{- define "basekeeper.nodeUntouched" -}}
- expression: >-
    object.?spec == oldObject.?spec && object.?metadata.?labels == oldObject.?metadata.?labels &&
    object.?metadata.?finalizers == oldObject.?metadata.?finalizers && object.?metadata.?ownerReferences == oldObject.?metadata.?ownerReferences &&
    object.?metadata.?generateName == oldObject.?metadata.?generateName && object.?metadata.?selfLink == oldObject.?metadata.?selfLink
  message: {{ . }} changes nothing of a Node but its annotations.
- expression: >-
    dyn(object).?metadata.?managedFields.orValue([]).all(now, variables.owned.exists(was, now.?manager == was.?manager &&
    now.?subresource == was.?subresource && now.?apiVersion == was.?apiVersion && (variables.writer.exists(own, now.?manager == own.?manager) ||
    (now.?operation == was.?operation && now.?time == was.?time)) &&
    now.?fieldsV1.orValue({}).all(key, key == 'f:metadata'
    ? now.fieldsV1[key].all(part, part == 'f:annotations'
    ? now.fieldsV1[key][part].all(name, (was.?fieldsV1[?key][?part][?name].hasValue() ||
    variables.writer.exists(own, now.?manager == own.?manager && own.?fieldsV1[?key][?part][?name].hasValue())) &&
    now.fieldsV1[key][part][name].all(below, below == '.' ? size(now.fieldsV1[key][part][name][below]) == 0 :
    was.?fieldsV1[?key][?part][?name][?below] == optional.of(now.fieldsV1[key][part][name][below])))
    : was.?fieldsV1[?key][?part] == optional.of(now.fieldsV1[key][part]))
    : was.?fieldsV1[?key] == optional.of(now.fieldsV1[key]))) ||
    (now.?manager.orValue('') == 'ancient-changes' && size(variables.owners) >= 10 &&
    now.?subresource.orValue('') == '' && variables.owners.exists(was, now.?apiVersion == was.?apiVersion) &&
    now.?fieldsV1.orValue({}).all(a, {{ include "basekeeper.owned" "[?a]" }} &&
    now.fieldsV1[a].all(b, {{ include "basekeeper.owned" "[?a][?b]" }} &&
    now.fieldsV1[a][b].all(c, {{ include "basekeeper.owned" "[?a][?b][?c]" }} &&
    now.fieldsV1[a][b][c].all(d, {{ include "basekeeper.owned" "[?a][?b][?c][?d]" }} &&
    now.fieldsV1[a][b][c][d].all(e, {{ include "basekeeper.owned" "[?a][?b][?c][?d][?e]" }} && size(now.fieldsV1[a][b][c][d][e]) == 0)))))))
  message: {{ . }} leaves it to the API server who owns which field of a Node.
{{- end -}}
{{- define "basekeeper.owned" -}}
variables.owned.exists(was, was.?fieldsV1{{ . }}.hasValue())
{{- end -}}
{{/* Who owned which field, and the one that writes with all that it may own: of a list, as the clean-up job owns nothing. */}}
{{- define "basekeeper.owners" -}}
- name: owners
  expression: dyn(oldObject).?metadata.?managedFields.orValue([])
- name: writer
  expression: >-
    [
    {{- with . -}}
    {'manager': dyn('basekeeper'), 'apiVersion': dyn('v1'), 'fieldsV1': dyn({'f:metadata': {'f:annotations': {'.': {}, {{ range . }}'f:{{ . }}': {}, {{ end }}}}})}
    {{- end -}}
    ]
- name: owned
  expression: variables.owners + variables.writer
{{- end -}}
