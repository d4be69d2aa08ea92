/**
 * A real Kafka broker for tests: the one `EYRIE_TEST_KAFKA` names (`none`: do without), or one in a container when a Docker engine answers,
 * or one under this machine's Java with what Maven Central gives. `node test/kafka/broker.ts` runs one until Ctrl-C.
 */
import { execFileSync } from 'node:child_process';
import { freePort } from '@eyrie/platform/testing/free-port';
import { startContainer } from './container.ts';
import { startJava } from './java.ts';

export interface Broker {
  /** `host:port` of each. */
  readonly brokers: readonly string[];
  stop(): Promise<void>;
}

/** Why there is none, where there is none. */
export async function findBroker(): Promise<Broker | string> {
  const given = process.env['EYRIE_TEST_KAFKA'];
  if (given === 'none') return 'EYRIE_TEST_KAFKA is none';
  if (given !== undefined) return { brokers: given.split(','), stop: async () => undefined };
  const reasons: string[] = [];
  for (const [command, args, start, host] of [
    ['docker', ['info', '--format', '{{.ID}}'], startContainer, '0.0.0.0'],
    ['java', ['-version'], startJava, '127.0.0.1'],
  ] as const) {
    try {
      execFileSync(command, args, { stdio: 'ignore', timeout: 10_000 });
      return await start(settings(host, await freePort(), await freePort()));
    } catch (error) {
      reasons.push(`${command}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
    }
  }
  return reasons.join('; ');
}

export interface Settings {
  readonly port: number;
  /** As in server.properties. */
  readonly properties: Readonly<Record<string, string>>;
  /** SCRAM users, `SCRAM-SHA-256=[name=…,password=…]`; under Java alone. */
  readonly users?: readonly string[];
}

/** One node that is broker and controller; `host` is where it listens. */
export function settings(host: string, port: number, controllerPort: number): Settings {
  return {
    port,
    properties: {
      'process.roles': 'broker,controller',
      'node.id': '1',
      'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
      'controller.listener.names': 'CONTROLLER',
      listeners: `PLAINTEXT://${host}:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'inter.broker.listener.name': 'PLAINTEXT',
      'offsets.topic.replication.factor': '1',
      'offsets.topic.num.partitions': '4',
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      'transaction.state.log.num.partitions': '4',
      'group.initial.rebalance.delay.ms': '0',
      'group.min.session.timeout.ms': '1000',
      'auto.create.topics.enable': 'false',
    },
  };
}

if (import.meta.main) {
  const found = await findBroker();
  if (typeof found === 'string') {
    console.error(`no Kafka broker: ${found}`);
    process.exit(1);
  }
  console.log(found.brokers.join(','));
  process.once('SIGINT', () => void found.stop());
}
