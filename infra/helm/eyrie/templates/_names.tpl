{{- define "eyrie.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- /* Labels that select: never change them. */}}
{{- define "eyrie.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "eyrie.labels" -}}
{{ include "eyrie.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "eyrie.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (ternary (include "eyrie.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "eyrie.image" -}}
{{- $tag := .Values.image.tag | default (ternary (printf "%s-all-in-one" .Chart.AppVersion) .Chart.AppVersion (eq .Values.mode "all-in-one")) }}
{{- with .Values.image.digest }}{{ $.Values.image.repository }}@{{ . }}
{{- else }}{{ .Values.image.repository }}:{{ $tag }}
{{- end }}
{{- end }}

{{- /* The roles of distributed mode, as a comma separated list. */}}
{{- define "eyrie.roles" -}}gateway,processor,archiver,responder,console{{- end }}
