type Schema = { [key: string]: unknown };

const text = { type: 'string' };
const texts = { type: 'array', items: text };
const duration = { type: 'string', pattern: '^([0-9]+(ms|s|m|h|d|w|y))+$' };
const labels = { type: 'object', additionalProperties: text };
const object = (properties: Record<string, Schema>, required: readonly string[] = []): Schema => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});
const list = (items: Schema): Schema => ({ type: 'array', minItems: 1, items });
const kind = (name: string, spec: Schema): Schema => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  ...object(
    {
      apiVersion: { const: 'monitoring.coreos.com/v1' },
      kind: { const: name },
      metadata: object({ name: text, namespace: text, labels }, ['name']),
      spec,
    },
    ['apiVersion', 'kind', 'metadata', 'spec'],
  ),
});

const relabeling = object({
  sourceLabels: texts,
  separator: text,
  targetLabel: text,
  regex: text,
  replacement: text,
  action: {
    enum: ['replace', 'keep', 'drop', 'labelmap', 'labeldrop', 'labelkeep', 'hashmod', 'lowercase', 'uppercase'],
  },
});
const requirement = object(
  { key: text, operator: { enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] }, values: texts },
  ['key', 'operator'],
);
const secretKey = object({ name: text, key: text, optional: { type: 'boolean' } }, ['key']);
const endpoint = object({
  port: text,
  path: text,
  scheme: { enum: ['http', 'https', 'HTTP', 'HTTPS'] },
  interval: duration,
  scrapeTimeout: duration,
  authorization: object({ type: text, credentials: secretKey }),
  tlsConfig: object({ insecureSkipVerify: { type: 'boolean' }, serverName: text }),
  relabelings: list(relabeling),
  metricRelabelings: list(relabeling),
});
const rule = object({ alert: text, record: text, expr: text, for: duration, labels, annotations: labels }, ['expr']);

/** The part of the Prometheus operator's kinds that a chart needs, after its API reference; what is not here is refused. */
export const MONITORING: Readonly<Record<string, Schema>> = {
  'monitoring.coreos.com/v1 PodMonitor': kind(
    'PodMonitor',
    object(
      {
        jobLabel: text,
        podTargetLabels: texts,
        selector: object({ matchLabels: labels, matchExpressions: list(requirement) }),
        namespaceSelector: object({ any: { type: 'boolean' }, matchNames: texts }),
        podMetricsEndpoints: list(endpoint),
      },
      ['selector', 'podMetricsEndpoints'],
    ),
  ),
  'monitoring.coreos.com/v1 PrometheusRule': kind(
    'PrometheusRule',
    object({ groups: list(object({ name: text, interval: duration, rules: list(rule) }, ['name'])) }),
  ),
};
