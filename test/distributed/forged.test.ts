/** Whoever may write to the topics, and has no key of ours, changes nothing: each record ends as a dead letter. */
import { openKafka } from '@eyrie/platform/bus/kafka/kafka';
import { createSigner } from '@eyrie/platform/sign';
import { hashToken } from '@eyrie/platform/tokens';
import type { TopicName } from '@eyrie/schemas';
import { afterAll, expect, it } from 'vitest';
import { findBroker } from '../kafka/broker.ts';
import { kafkaOptions } from '../kafka/kafka-child.ts';
import { leftOut } from '../kafka/left-out.ts';
import { wait } from './fleet.ts';
import { type Run, run } from './run.ts';
import { expectSound } from './sound.ts';

const EVENTS = 1_000;
const PATIENCE_MS = 300_000;
const TOKEN = 'eyrie_forged-token-0123456789abcdefghijklmnopqr';

const broker = await findBroker();

if (typeof broker === 'string') leftOut('forged records', broker);
else {
  const { brokers } = broker;
  afterAll(() => broker.stop());

  it(
    'a forged verdict, document, alert, request or ledger line has no effect',
    async () => {
      const honest = await run({ brokers, events: EVENTS });
      let status = 0;
      const forged = await run({
        brokers,
        events: EVENTS,
        disturb: async (system) => {
          while (!system.isSent()) await wait(100);
          await wait(3_000);
          await forge(brokers, system);
          await wait(2_000);
          const answer = await fetch(`${system.api()}/v1/alerts`, { headers: { authorization: `Bearer ${TOKEN}` } });
          status = answer.status;
        },
      });
      expect(status).toBe(401);
      // One a record, whoever found it.
      expect(forged.deadLetters).toEqual([
        'action-requests bad_signature',
        'actions bad_signature',
        'alerts bad_signature',
        'commands bad_signature',
        'documents bad_signature',
      ]);
      expectSound({ ...forged, deadLetters: [] }, honest, 0);
    },
    PATIENCE_MS,
  );
}

/** Takes a record of each signed topic, changes what matters in it, and seals it with another key. */
async function forge(brokers: readonly string[], { prefix }: Run): Promise<void> {
  const bus = await openKafka(kafkaOptions({ brokers, prefix }));
  const signer = createSigner(Buffer.alloc(32, 1));
  const now = Date.now();

  async function firstOf(topic: TopicName): Promise<{ partition: number; key: string; record: { v: number } }> {
    for (let partition = 0; partition < bus.partitions(topic); partition += 1) {
      const [first] = await bus.read(topic, partition, 0);
      if (first !== undefined) return { partition, key: first.key ?? '', record: JSON.parse(String(first.value)) };
    }
    throw new Error(`nothing in ${topic}`);
  }
  async function put(topic: TopicName, change: object): Promise<void> {
    const { partition, key, record } = await firstOf(topic);
    await bus.append([{ topic, partition, key, value: signer.seal({ ...record, ...change }) }]);
  }

  const { partition, record } = await firstOf('alerts');
  const { tenant, alert_id, routing_key } = record as Record<string, unknown> & { v: number };
  const word = { kind: 'verdict', id: 'forged', status: 'dismissed', by: 'mallory', at: now } as const;
  const verdict = signer.seal({ v: 1, ...word, tenant, alert_id, routing_key });
  await bus.append([{ topic: 'commands', partition, key: String(routing_key), value: verdict }]);
  await put('alerts', { version: 1_000, disposition: 'suppressed', count: 1_000_000 });
  await put('action-requests', { alert_id: 'f'.repeat(32), target: 'somebody else' });
  await put('actions', { version: 1_000, state: 'failed' });
  const token = { name: 'forged', sha256: hashToken(TOKEN), cluster: '*', scopes: ['read', 'admin', 'raw'] };
  await put('documents', { id: 'forged', version: 9, body: token });
  await bus.close();
}
