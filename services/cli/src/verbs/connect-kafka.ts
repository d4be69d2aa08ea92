import { AppError } from '@eyrie/platform/errors';
import { InputsFile } from '@eyrie/schemas/inputs';
import { readConfig } from '../config.ts';
import { firstEvent } from '../first-event.ts';
import { printLine } from '../print.ts';
import { openSession, type SpeakingOptions } from '../session.ts';

interface ConnectKafkaOptions extends SpeakingOptions {
  readonly topic: string;
  readonly cluster: string;
  readonly tenant?: string;
  readonly wait: number;
}

/** Prints the settings of both ends of a topic, and waits for the first event of the cluster or the last refusal. */
export async function connectKafka(options: ConnectKafkaOptions): Promise<void> {
  const config = readConfig(process.env);
  const { topic, cluster, tenant = config.EYRIE_TENANT } = options;
  const checked = InputsFile.safeParse([{ topic, cluster, tenant }]);
  if (!checked.success) {
    const problems = checked.error.issues.map(({ path, message }) => `--${String(path.at(-1))}: ${message}`);
    throw new AppError('EYRIE_USAGE', problems.join('; '));
  }
  const session = openSession(options);
  const brokers = config.EYRIE_KAFKA_BROKERS?.join(',') ?? 'BROKERS';
  const settings = [...inputSettings({ topic, cluster, tenant }), ...senderSettings(topic, brokers)].join('\n');
  if (options.json !== true) {
    printLine(settings);
    printLine();
    printLine(`Waiting for the first event of ${cluster} …`);
  }
  const hint = `check that records lie in ${topic} and that the gateway has EYRIE_INPUTS_FILE`;
  await firstEvent(session, { ...options, hint }, { settings });
}

function inputSettings({ topic, cluster, tenant }: { topic: string; cluster: string; tenant: string }): string[] {
  return [
    '# of the gateway: a file, and EYRIE_INPUTS_FILE with its name; then start it anew',
    `- topic: ${topic}`,
    `  tenant: ${tenant}`,
    `  cluster: ${cluster === '*' ? '"*"' : cluster}`,
    '',
  ];
}

/** Each waits until the record is on all replicas: without it a broker that dies takes events along. */
function senderSettings(topic: string, brokers: string): string[] {
  return [
    '# of whoever writes, one of: falcosidekick, config.yaml',
    'kafka:',
    `  hostport: ${brokers}`,
    `  topic: ${topic}`,
    '  requiredacks: ALL',
    '  compression: ZSTD',
    '  balancer: round_robin',
    '  minimumpriority: ""',
    '',
    '# Fluent Bit, fluent-bit.conf; add `format: fluentbit` to the input',
    '[OUTPUT]',
    '    Name                          kafka',
    '    Match                         kube.*falco*',
    `    Brokers                       ${brokers}`,
    `    Topics                        ${topic}`,
    '    Format                        json',
    '    rdkafka.request.required.acks -1',
    '',
    '# Vector, vector.yaml; add `format: vector` to the input',
    'sinks:',
    '  eyrie:',
    '    type: kafka',
    '    inputs: [falco_logs]',
    `    bootstrap_servers: ${brokers}`,
    `    topic: ${topic}`,
    '    encoding: {codec: json}',
    '    librdkafka_options: {request.required.acks: "-1"}',
  ];
}
