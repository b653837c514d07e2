{{/*
Gives every section of the values that is missing its default. A section is missing where it was set to null, and after `helm upgrade --reuse-values`
from a chart that did not have it yet. What is passed on to Kubernetes, such as resources and nodeSelector, stays missing: there null means "none".
Every template begins with this: the templates of a chart are rendered in no order that it could rely on.
*/}}
{{- define "basekeeper.defaults" -}}
{{- include "basekeeper.fill" (dict "values" .Values "defaults" (.Files.Get "files/defaults.yaml" | fromYaml)) -}}
{{- end -}}

{{/* Not Sprig's merge: it takes false and 0 for missing. */}}
{{- define "basekeeper.fill" -}}
{{- $values := .values -}}
{{- range $key, $default := .defaults -}}
{{- if kindIs "invalid" (index $values $key) -}}
{{- $_ := set $values $key $default -}}
{{- else if and (kindIs "map" $default) (kindIs "map" (index $values $key)) -}}
{{- include "basekeeper.fill" (dict "values" (index $values $key) "defaults" $default) -}}
{{- end -}}
{{- end -}}
{{- end -}}
