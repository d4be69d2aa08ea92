{{- /* Settings of a role as environment variables. Takes {root, role}; hooks are roles too. */}}
{{- define "eyrie.env" }}
{{- $v := .root.Values }}
{{- $own := dict }}
{{- if and (eq $v.mode "distributed") (ne .role "migrate") }}
{{- $_ := set $own "EYRIE_BUS" "kafka" }}
{{- $_ := set $own "EYRIE_KAFKA_BROKERS" (join "," $v.kafka.brokers) }}
{{- $_ := set $own "EYRIE_KAFKA_CLIENT_ID" $v.kafka.clientId }}
{{- $_ := set $own "EYRIE_TOPIC_PREFIX" $v.kafka.topicPrefix }}
{{- $_ := set $own "EYRIE_SIGNING_KEY_FILE" "/secrets/signing/key" }}
{{- with $v.kafka.principals }}{{ $_ := set $own "EYRIE_KAFKA_PRINCIPALS" . }}{{ end }}
{{- with $v.kafka.sasl }}{{ if .mechanism }}
{{- $_ := set $own "EYRIE_KAFKA_SASL_MECHANISM" .mechanism }}
{{- $_ := set $own "EYRIE_KAFKA_SASL_USERNAME" (get (get .users $.role | default dict) "username" | default .username) }}
{{- $_ := set $own "EYRIE_KAFKA_SASL_PASSWORD_FILE" "/secrets/kafka/password" }}
{{- end }}{{ end }}
{{- with $v.kafka.tls }}{{ if .enabled }}
{{- $_ := set $own "EYRIE_KAFKA_TLS" "true" }}
{{- if or .existingSecret (hasKey .clients $.role) }}{{ $_ := set $own "EYRIE_KAFKA_TLS_CA_FILE" "/secrets/kafka-tls/ca.crt" }}{{ end }}
{{- if or .clientCertificate (hasKey .clients $.role) }}
{{- $_ := set $own "EYRIE_KAFKA_TLS_CERT_FILE" "/secrets/kafka-tls/tls.crt" }}
{{- $_ := set $own "EYRIE_KAFKA_TLS_KEY_FILE" "/secrets/kafka-tls/tls.key" }}
{{- end }}
{{- end }}{{ end }}
{{- end }}
{{- if and (eq $v.mode "distributed") (has .role (list "archiver" "console" "migrate")) }}
{{- $_ := set $own "EYRIE_STORE" "clickhouse" }}
{{- $_ := set $own "EYRIE_CLICKHOUSE_URL" $v.clickhouse.url }}
{{- $_ := set $own "EYRIE_CLICKHOUSE_USER" (get (get $v.clickhouse.users .role | default dict) "username" | default $v.clickhouse.user) }}
{{- $_ := set $own "EYRIE_CLICKHOUSE_PASSWORD_FILE" "/secrets/clickhouse/password" }}
{{- with $v.clickhouse.cluster }}{{ $_ := set $own "EYRIE_CLICKHOUSE_CLUSTER" . }}{{ end }}
{{- with $v.clickhouse.tls }}{{ if .existingSecret }}
{{- $_ := set $own "EYRIE_CLICKHOUSE_TLS_CA_FILE" "/secrets/clickhouse-tls/ca.crt" }}
{{- if .clientCertificate }}
{{- $_ := set $own "EYRIE_CLICKHOUSE_TLS_CERT_FILE" "/secrets/clickhouse-tls/tls.crt" }}
{{- $_ := set $own "EYRIE_CLICKHOUSE_TLS_KEY_FILE" "/secrets/clickhouse-tls/tls.key" }}
{{- end }}
{{- end }}{{ end }}
{{- with $v.clickhouse.analyst }}{{ if and .user (ne $.role "migrate") }}
{{- $_ := set $own "EYRIE_CLICKHOUSE_ANALYST_USER" .user }}
{{- $_ := set $own "EYRIE_CLICKHOUSE_ANALYST_PASSWORD_FILE" "/secrets/clickhouse-analyst/password" }}
{{- end }}{{ end }}
{{- end }}
{{- if and $v.tokens.existingSecret (has .role (list "console" "all-in-one")) }}
{{- $_ := set $own "EYRIE_INTAKE_TOKEN_FILE" "/secrets/tokens/intake" }}
{{- $_ := set $own "EYRIE_API_TOKEN_FILE" "/secrets/tokens/api" }}
{{- end }}
{{- range $role := list "gateway" "console" }}{{ with (index $v $role).tls }}
{{- if and .existingSecret (has $.role (list $role "all-in-one")) }}
{{- $_ := set $own (printf "EYRIE_%s_TLS_CERT_FILE" (upper $role)) (printf "/secrets/%s-tls/tls.crt" $role) }}
{{- $_ := set $own (printf "EYRIE_%s_TLS_KEY_FILE" (upper $role)) (printf "/secrets/%s-tls/tls.key" $role) }}
{{- if .clientCertificates }}{{ $_ := set $own (printf "EYRIE_%s_TLS_CLIENT_CA_FILE" (upper $role)) (printf "/secrets/%s-tls/ca.crt" $role) }}{{ end }}
{{- end }}
{{- end }}{{ end }}
{{- if and $v.gateway.inputsConfigMap (eq .role "gateway") }}{{ $_ := set $own "EYRIE_INPUTS_FILE" "/etc/eyrie/inputs/inputs.yaml" }}{{ end }}
{{- if has .role (list "responder" "console" "all-in-one") }}
{{- if $v.response.rulesConfigMap }}{{ $_ := set $own "EYRIE_RULES_DIR" "/etc/eyrie/rules" }}{{ end }}
{{- if $v.response.scriptsConfigMap }}{{ $_ := set $own "EYRIE_SCRIPTS_DIR" "/etc/eyrie/scripts" }}{{ end }}
{{- if $v.response.connectionsSecret }}{{ $_ := set $own "EYRIE_CONNECTIONS_FILE" "/etc/eyrie/connections/connections.yaml" }}{{ end }}
{{- end }}
{{- range $settings := list $v.settings .settings }}
{{- range $key, $value := $settings }}{{ $_ := set $own $key $value }}{{ end }}
{{- end }}
{{- range $key, $value := $own }}
- name: {{ $key }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- /* Files of a role: a list of {name, mount, source}. Takes {root, role}. */}}
{{- define "eyrie.files" }}
{{- $v := .root.Values }}
{{- if and (eq $v.mode "distributed") (ne .role "migrate") }}
- { name: signing-key, mount: /secrets/signing, source: { secret: { secretName: {{ $v.signingKey.existingSecret }}, defaultMode: 0440, items: [{ key: {{ $v.signingKey.key }}, path: key }] } } }
{{- with $v.kafka.sasl }}{{ if .mechanism }}
- { name: kafka-password, mount: /secrets/kafka, source: { secret: { secretName: {{ get (get .users $.role | default dict) "existingSecret" | default .existingSecret }}, defaultMode: 0440, items: [{ key: {{ .passwordKey }}, path: password }] } } }
{{- end }}{{ end }}
{{- with $v.kafka.tls }}{{ $secret := get .clients $.role | default .existingSecret }}{{ if and .enabled $secret }}
- { name: kafka-tls, mount: /secrets/kafka-tls, source: { secret: { secretName: {{ $secret }}, defaultMode: 0440 } } }
{{- end }}{{ end }}
{{- end }}
{{- if and (eq $v.mode "distributed") (has .role (list "archiver" "console" "migrate")) }}
- { name: clickhouse-password, mount: /secrets/clickhouse, source: { secret: { secretName: {{ get (get $v.clickhouse.users .role | default dict) "existingSecret" | default $v.clickhouse.existingSecret }}, defaultMode: 0440, items: [{ key: {{ $v.clickhouse.passwordKey }}, path: password }] } } }
{{- with $v.clickhouse.tls.existingSecret }}
- { name: clickhouse-tls, mount: /secrets/clickhouse-tls, source: { secret: { secretName: {{ . }}, defaultMode: 0440 } } }
{{- end }}
{{- with $v.clickhouse.analyst }}{{ if and .user (ne $.role "migrate") }}
- { name: clickhouse-analyst, mount: /secrets/clickhouse-analyst, source: { secret: { secretName: {{ .existingSecret }}, defaultMode: 0440, items: [{ key: {{ .passwordKey }}, path: password }] } } }
{{- end }}{{ end }}
{{- end }}
{{- if and $v.tokens.existingSecret (has .role (list "console" "all-in-one")) }}
- { name: tokens, mount: /secrets/tokens, source: { secret: { secretName: {{ $v.tokens.existingSecret }}, defaultMode: 0440, items: [{ key: {{ $v.tokens.intakeKey }}, path: intake }, { key: {{ $v.tokens.apiKey }}, path: api }] } } }
{{- end }}
{{- range $role := list "gateway" "console" }}{{ with (index $v $role).tls }}
{{- if and .existingSecret (has $.role (list $role "all-in-one")) }}
- { name: {{ $role }}-tls, mount: /secrets/{{ $role }}-tls, source: { secret: { secretName: {{ .existingSecret }}, defaultMode: 0440 } } }
{{- end }}
{{- end }}{{ end }}
{{- if and $v.gateway.inputsConfigMap (eq .role "gateway") }}
- { name: inputs, mount: /etc/eyrie/inputs, source: { configMap: { name: {{ $v.gateway.inputsConfigMap }} } } }
{{- end }}
{{- if has .role (list "responder" "console" "all-in-one") }}
{{- with $v.response.rulesConfigMap }}
- { name: rules, mount: /etc/eyrie/rules, source: { configMap: { name: {{ . }} } } }
{{- end }}
{{- with $v.response.scriptsConfigMap }}
- { name: scripts, mount: /etc/eyrie/scripts, source: { configMap: { name: {{ . }}, defaultMode: 0555 } } }
{{- end }}
{{- with $v.response.connectionsSecret }}
- { name: connections, mount: /etc/eyrie/connections, source: { secret: { secretName: {{ . }}, defaultMode: 0440 } } }
{{- end }}
{{- end }}
{{- end }}

{{- /* Not empty for the role that changes this cluster. Takes {root, role}. */}}
{{- define "eyrie.acts" -}}
{{- if and (has .role (list "responder" "all-in-one")) .root.Values.response.clusterRoleRules }}yes{{ end }}
{{- end }}

{{- /* Spec of a pod. Takes {root, role, args, settings, resources, serve: whether it is a server, data: a volume claimed elsewhere}. */}}
{{- define "eyrie.pod" }}
{{- $v := .root.Values }}
{{- $files := include "eyrie.files" . | fromYamlArray }}
{{- with $v.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- if and (include "eyrie.acts" .) .serve }}
# Responses change this cluster: what they may, the ClusterRole says.
serviceAccountName: {{ include "eyrie.name" .root }}-responder
automountServiceAccountToken: true
{{- else }}
# A hook runs before the account of this release is there.
serviceAccountName: {{ ternary (include "eyrie.serviceAccount" .root) "default" .serve }}
automountServiceAccountToken: false
{{- end }}
# Kubernetes would set EYRIE_GATEWAY_PORT and the like for services of these names.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- if .serve }}
# Draining takes up to 10 s, and the gateway waits before it begins.
terminationGracePeriodSeconds: 30
{{- else }}
restartPolicy: Never
{{- end }}
{{- with $v.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $v.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and .serve (ne .role "all-in-one") }}
topologySpreadConstraints:
{{- with $v.topologySpreadConstraints }}
{{ toYaml . | indent 2 }}
{{- else }}
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "eyrie.selector" $.root | nindent 8 }}
        app.kubernetes.io/component: {{ $.role }}
{{- end }}
{{- end }}
{{- end }}
containers:
  - name: eyrie
    image: {{ include "eyrie.image" .root }}
    imagePullPolicy: {{ $v.image.pullPolicy }}
    args: {{ .args | toJson }}
    {{- with include "eyrie.env" . | fromYamlArray }}
    env: {{- toYaml . | nindent 6 }}
    {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: { drop: [ALL] }
    resources: {{- toYaml .resources | nindent 6 }}
    {{- if .serve }}
    ports:
      {{- if has .role (list "gateway" "all-in-one") }}
      - { name: intake, containerPort: 2801 }
      {{- end }}
      {{- if has .role (list "console" "all-in-one") }}
      - { name: api, containerPort: 2802 }
      {{- end }}
      {{- if ne .role "all-in-one" }}
      - { name: health, containerPort: 2803 }
      {{- end }}
    {{- $asks := dict "port" "health" }}
    {{- if eq .role "all-in-one" }}{{ $asks = dict "port" "intake" "scheme" (ternary "HTTPS" "HTTP" (ne $v.gateway.tls.existingSecret "")) }}{{ end }}
    # Restoring state may take minutes; until it is alive nobody kills it for being slow.
    startupProbe:
      httpGet: {{ merge (dict "path" "/healthz") $asks | toJson }}
      periodSeconds: 5
      failureThreshold: 60
    livenessProbe:
      httpGet: {{ merge (dict "path" "/healthz") $asks | toJson }}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet: {{ merge (dict "path" "/readyz") $asks | toJson }}
      periodSeconds: 5
      timeoutSeconds: 3
      failureThreshold: 3
    {{- if has .role (list "gateway" "console") }}
    lifecycle:
      # Until no proxy sends requests here any more.
      preStop: { sleep: { seconds: 5 } }
    {{- end }}
    {{- end }}
    volumeMounts:
      - { name: data, mountPath: /data }
      - { name: tmp, mountPath: /tmp }
      {{- if eq .role "all-in-one" }}
      - { name: shm, mountPath: /dev/shm }
      {{- end }}
      {{- range $files }}
      - { name: {{ .name }}, mountPath: {{ .mount }}, readOnly: true }
      {{- end }}
volumes:
  {{- if not .data }}
  # Kafka and ClickHouse keep what must last.
  - name: data
    emptyDir: { sizeLimit: 2Gi }
  {{- end }}
  - name: tmp
    emptyDir: { sizeLimit: 1Gi }
  {{- if eq .role "all-in-one" }}
  # Rows on their way to the embedded ClickHouse; the 64 MiB that a pod has are too few.
  - name: shm
    emptyDir: { medium: Memory, sizeLimit: 512Mi }
  {{- end }}
  {{- range $files }}
  - name: {{ .name }}
    {{- toYaml .source | nindent 4 }}
  {{- end }}
{{- end }}
