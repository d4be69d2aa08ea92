/** What log shippers make of a line of Falco's log before it lies in a topic, after their manuals and sources. */
const POD = {
  pod_name: 'falco-x7k2p',
  namespace_name: 'falco',
  pod_id: '7c1f1f5a-1f5c-4c43-9a0e-0d3d3f1c2b4a',
  labels: { app: 'falco' },
  host: 'node-9',
  container_name: 'falco',
  docker_id: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  container_image: 'docker.io/falcosecurity/falco:0.44.0',
};
const READ_AT = '2025-10-09T08:53:20.514498186Z';
const READ_SECONDS = 1760000000.514498;

type Shipper = (line: string) => string;

/** The line as text in a field. Numbers beyond a double stay as they are: the text is not touched. */
export const SHIPPERS = {
  'Fluent Bit': (line) =>
    JSON.stringify({
      '@timestamp': READ_SECONDS,
      time: READ_AT,
      stream: 'stdout',
      _p: 'F',
      log: line,
      kubernetes: POD,
    }),
  'Fluent Bit without a parser, on Docker': (line) =>
    JSON.stringify({
      '@timestamp': READ_AT,
      log: JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: READ_AT }),
    }),
  'Fluent Bit without a parser, on CRI': (line) =>
    JSON.stringify({ '@timestamp': READ_SECONDS, log: `${READ_AT} stdout F ${line}`, kubernetes: POD }),
  'Fluent Bit, parsed': (line) => withObject({ '@timestamp': READ_SECONDS, stream: 'stdout' }, 'log_processed', line),
  'Fluent Bit, GELF': (line) =>
    JSON.stringify({
      version: '1.1',
      short_message: line,
      host: 'node-9',
      _stream: 'stdout',
      _kubernetes_pod_name: POD.pod_name,
      timestamp: READ_SECONDS,
    }),
  Vector: (line) =>
    JSON.stringify({
      file: '/var/log/pods/falco_falco-x7k2p_7c1f1f5a/falco/0.log',
      kubernetes: { container_name: 'falco', pod_name: POD.pod_name, pod_namespace: 'falco', pod_node_name: 'node-9' },
      message: line,
      source_type: 'kubernetes_logs',
      stream: 'stdout',
      timestamp: READ_AT,
    }),
  'Vector, of a file': (line) =>
    JSON.stringify({
      file: '/var/log/falco.log',
      host: 'node-9',
      message: line,
      source_type: 'file',
      timestamp: READ_AT,
    }),
  'Vector, parsed': (line) => withObject({ source_type: 'file', timestamp: READ_AT }, 'message', line),
  Filebeat: (line) =>
    JSON.stringify({
      '@timestamp': '2025-10-09T08:53:20.514Z',
      '@metadata': { beat: 'filebeat', type: '_doc', version: '8.15.0' },
      message: line,
      host: { name: 'node-9' },
      event: { dataset: 'falco' },
    }),
  journald: (line) => JSON.stringify({ MESSAGE: line, PRIORITY: '6', _HOSTNAME: 'node-9', SYSLOG_IDENTIFIER: 'falco' }),
  'the UI of falcosidekick': (line) => withObject({}, 'event', line, { outputs: ['kafka'] }),
} as const satisfies Record<string, Shipper>;

function withObject(before: object, key: string, line: string, after: object = {}): string {
  return JSON.stringify({ ...before, [key]: '@@', ...after }).replace('"@@"', () => line);
}
