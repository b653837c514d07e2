{{- define "basekeeper.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Shortened to 50 characters: suffixes such as "-cleanup" must fit into the 63 that names of services and pods may have. */}}
{{- define "basekeeper.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "basekeeper.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{/* Cluster-wide resources carry the namespace, so that two releases of one name in two namespaces do not meet. */}}
{{- define "basekeeper.clusterName" -}}
{{- $fullname := include "basekeeper.fullname" . -}}
{{- $namespace := include "basekeeper.namespace" . -}}
{{- if eq $fullname $namespace -}}{{- $fullname -}}{{- else -}}{{- printf "%s-%s" $namespace $fullname -}}{{- end -}}
{{- end -}}

{{- define "basekeeper.selectorLabels" -}}
app.kubernetes.io/name: {{ include "basekeeper.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "basekeeper.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "basekeeper.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: basekeeper
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
Without chart and version: a change of the chart alone does not restart agents.
By part-of and namespace the agent knows its own pods, whose mount of the instances path does not mean a VM; so no override changes it.
*/}}
{{- define "basekeeper.podLabels" -}}
{{ include "basekeeper.selectorLabels" . }}
app.kubernetes.io/part-of: basekeeper
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "basekeeper.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "basekeeper.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "basekeeper.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry -}}
{{- $image := .Values.image.repository -}}
{{- if $registry -}}{{- $image = printf "%s/%s" $registry $image -}}{{- end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $image .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "basekeeper.imagePullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets (.Values.imagePullSecrets | default list) -}}
imagePullSecrets:
{{- range . }}
  - name: {{ if kindIs "map" . }}{{ .name }}{{ else }}{{ . }}{{ end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What users of pods who need no right on the host may do: the cleanup job and the test. */}}
{{- define "basekeeper.unprivilegedPod" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}
{{- define "basekeeper.unprivilegedContainer" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* A Kubernetes quantity, as number or text, in MiB. */}}
{{- define "basekeeper.mebibytes" -}}
{{- $text := ternary (toString .) (printf "%.0f" (float64 .)) (kindIs "string" .) -}}
{{- $number := regexFind "^[0-9.]+(e[0-9]+)?" $text | float64 -}}
{{- $unit := regexReplaceAll "^[0-9.]+(e[0-9]+)?" $text "" -}}
{{- $bytes := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- if not (hasKey $bytes $unit) -}}{{- fail (printf "resources.limits.memory: %q is not a quantity of memory such as 256Mi" $text) -}}{{- end -}}
{{- divf (mulf $number (get $bytes $unit)) 1048576 -}}
{{- end -}}

{{/* Node.js does not know the memory limit of its container well enough: beyond its heap it needs some 60 MiB. */}}
{{- define "basekeeper.nodeOptions" -}}
--max-semi-space-size=1
{{- with dig "limits" "memory" "" (.Values.resources | default dict) }} --max-old-space-size={{ include "basekeeper.mebibytes" . | float64 | mulf 0.6 | floor | max 16 | int }}{{ end -}}
{{- end -}}

{{/* Paths on the node, as the configuration names them. */}}
{{- define "basekeeper.hostInstancesPath" -}}
{{- default .Values.config.instancesPath .Values.config.hostInstancesPath -}}
{{- end -}}
{{- define "basekeeper.locksPath" -}}
{{- default (printf "%s/locks" .Values.config.instancesPath) .Values.config.locksPath -}}
{{- end -}}

{{/* What a rule for workloads lets the agent read. The plural is guessed as kubectl guesses it, where the rule does not give it. */}}
{{- define "basekeeper.ruleOf" -}}
{{- $kind := lower .kind -}}
{{- $plural := printf "%ss" $kind -}}
{{- if hasSuffix "s" $kind -}}{{- $plural = printf "%ses" $kind -}}{{- end -}}
{{- if hasSuffix "y" $kind -}}{{- $plural = printf "%sies" (trimSuffix "y" $kind) -}}{{- end -}}
apiGroups: [{{ ternary (dir .apiVersion) "" (contains "/" .apiVersion) | quote }}]
resources: [{{ default $plural .resource }}]
verbs: [list, watch]
{{- end -}}

{{/* The agent's configuration: the values, and what other values say of it. */}}
{{- define "basekeeper.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $http := $config.http -}}
{{- if .Values.tls.secretName -}}
{{- $_ := set $http "tls" (default (dict "certificatePath" "/etc/basekeeper-tls/tls.crt" "keyPath" "/etc/basekeeper-tls/tls.key") $http.tls) -}}
{{- end -}}
{{- if .Values.service.enabled -}}
{{- $service := printf "%s.%s.svc" (include "basekeeper.fullname" .) (include "basekeeper.namespace" .) -}}
{{- $names := list (include "basekeeper.fullname" .) (trimSuffix ".svc" $service) $service (printf "%s.cluster.local" $service) -}}
{{- $_ := set $http "hostNames" (concat $names (default list $http.hostNames) | uniq) -}}
{{- end -}}
{{- if and .Chart.Home (not $http.documentsUrl) -}}
{{- $_ := set $http "documentsUrl" (printf "%s/blob/v%s/docs" (trimSuffix "/" .Chart.Home) .Chart.Version) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* "HTTPS" or "HTTP", as probes spell it. */}}
{{- define "basekeeper.scheme" -}}
{{- ternary "HTTPS" "HTTP" (or (not (empty .Values.tls.secretName)) (not (empty .Values.config.http.tls))) -}}
{{- end -}}

{{/* Scrape settings that PodMonitor and ServiceMonitor share. */}}
{{- define "basekeeper.endpoint" -}}
{{- $scheme := include "basekeeper.scheme" .root | lower -}}
{{- with .monitor -}}
- port: http
  path: /metrics
  interval: {{ .interval }}
  scrapeTimeout: {{ .scrapeTimeout }}
  {{- if eq $scheme "https" }}
  scheme: https
  tlsConfig:
    {{- toYaml (default (dict "insecureSkipVerify" true) .tlsConfig) | nindent 4 }}
  {{- end }}
  {{- with .authorization }}
  authorization:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  relabelings:
    - sourceLabels: [__meta_kubernetes_pod_node_name]
      targetLabel: node
    {{- with .relabelings }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .metricRelabelings }}
  metricRelabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
{{- end -}}
{{- define "basekeeper.scrapeLimits" -}}
{{- range $limit := list "sampleLimit" "labelLimit" "targetLimit" }}
{{- with get $.monitor $limit }}
{{ $limit }}: {{ int . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What a schema cannot say well. Every template that is rendered in any case could call it; the DaemonSet does. */}}
{{- define "basekeeper.check" -}}
{{- if and .Values.monitoring.podMonitor.enabled .Values.monitoring.serviceMonitor.enabled -}}
{{- fail "monitoring.podMonitor.enabled and monitoring.serviceMonitor.enabled: every agent would be scraped twice; enable one of them" -}}
{{- end -}}
{{- if and .Values.monitoring.serviceMonitor.enabled (not .Values.service.enabled) -}}
{{- fail "monitoring.serviceMonitor.enabled: needs service.enabled" -}}
{{- end -}}
{{- if and .Values.dashboards.sidecar.enabled .Values.dashboards.operator.enabled -}}
{{- fail "dashboards.sidecar.enabled and dashboards.operator.enabled: every dashboard would be there twice; enable one of them" -}}
{{- end -}}
{{- end -}}

{{- define "basekeeper.cleanupHook" -}}
helm.sh/hook: post-delete
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
{{- end -}}
