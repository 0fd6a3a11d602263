{{- define "gpusnap.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Room is left for -service, -daemon and -webhook-tls. */}}
{{- define "gpusnap.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "gpusnap.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "gpusnap.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What objects of a part are found by; never changes within a release. (dict "root" $ "part" "service") */}}
{{- define "gpusnap.selector" -}}
app.kubernetes.io/name: {{ include "gpusnap.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "gpusnap.labels" -}}
{{ include "gpusnap.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: gpusnap
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_") }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* (dict "root" $ "image" .Values.service.image) */}}
{{- define "gpusnap.image" -}}
{{- $name := .image.repository -}}
{{- with .root.Values.image.registry }}{{ $name = printf "%s/%s" . $name }}{{ end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "gpusnap.tokenSecret" -}}
{{- default (printf "%s-access-token" (include "gpusnap.fullname" .)) .Values.auth.existingSecret -}}
{{- end -}}

{{- define "gpusnap.webhookSecret" -}}
{{- printf "%s-webhook-tls" (include "gpusnap.fullname" .) -}}
{{- end -}}

{{- define "gpusnap.nfsClaim" -}}
{{- default (printf "%s-nfs" (include "gpusnap.fullname" .)) .Values.daemon.nfs.existingClaim -}}
{{- end -}}

{{/* Empty where no archive is wanted. */}}
{{- define "gpusnap.archivedClaim" -}}
{{- if .Values.daemon.nfs.archive.enabled -}}
{{- if not (and .Values.daemon.enabled .Values.daemon.nfs.enabled) }}{{ fail "daemon.nfs.archive.enabled needs daemon.nfs.enabled: there is no claim to archive" }}{{ end -}}
{{- include "gpusnap.nfsClaim" . -}}
{{- end -}}
{{- end -}}

{{/* none, file or vault, once it has what it needs. */}}
{{- define "gpusnap.keyProvider" -}}
{{- $keys := .Values.daemon.keys -}}
{{- if and (eq $keys.provider "file") (not $keys.keySecret) }}{{ fail "daemon.keys.provider file needs daemon.keys.keySecret" }}{{ end -}}
{{- if and (eq $keys.provider "vault") (not (and $keys.vault.address $keys.vault.key $keys.vault.tokenSecret)) }}{{ fail "daemon.keys.provider vault needs daemon.keys.vault.address, key and tokenSecret" }}{{ end -}}
{{- if and (eq $keys.provider "none") (or $keys.keySecret $keys.encryptNvme $keys.sharingGroup) }}{{ fail "daemon.keys.keySecret, encryptNvme and sharingGroup need daemon.keys.provider file or vault" }}{{ end -}}
{{- $keys.provider -}}
{{- end -}}

{{- define "gpusnap.scheme" -}}
{{- ternary "https" "http" (ne .Values.service.tls.existingSecret "") -}}
{{- end -}}

{{/* To any address: a node's own cache of names is no pod. */}}
{{- define "gpusnap.dns" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- end -}}
