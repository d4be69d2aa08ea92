/** A responder that would act on records anybody may write does not start, and says what to do. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createTopics } from '@eyrie/platform/bus/kafka/topics';
import { afterAll, expect, it } from 'vitest';
import { temporaryDirectory } from '../../bench/process.ts';
import { writeTraceResponse } from '../../services/cli/src/demo/response.ts';
import { findBroker } from '../kafka/broker.ts';
import { kafkaOptions } from '../kafka/kafka-child.ts';
import { leftOut } from '../kafka/left-out.ts';
import { createMember } from './fleet.ts';

const broker = await findBroker();

if (typeof broker === 'string') leftOut('enforce on open topics', broker);
else {
  const home = temporaryDirectory('enforce');
  afterAll(async () => {
    home.remove();
    await broker.stop();
  });

  it('is refused where the brokers have no authorizer, unless the topics are to be trusted', async () => {
    const prefix = `enforce-${randomBytes(4).toString('hex')}.`;
    const partitions = { raw: 1, alerts: 1, actions: 1, shared: 1 };
    await createTopics({ ...kafkaOptions({ brokers: broker.brokers, prefix }), partitions, replicationFactor: 1 });
    const trace = join(home.path, 'trace');
    const { rules, scripts } = writeTraceResponse(home.path, { trace, match: { priority: '>=Critical' } });
    const env = {
      EYRIE_BUS: 'kafka',
      EYRIE_KAFKA_BROKERS: broker.brokers.join(','),
      EYRIE_TOPIC_PREFIX: prefix,
      EYRIE_SIGNING_KEY: '5a'.repeat(32),
      EYRIE_HEALTH_PORT: '0',
      EYRIE_RULES_DIR: rules,
      EYRIE_SCRIPTS_DIR: scripts,
    };
    const responder = createMember({ name: 'responder', role: 'responder', directory: home.path, env });
    expect(await responder.start()).toBe('ended');
    expect(await responder.end()).toBe(1);
    expect(responder.words()).toMatch(/EYRIE_RULE_INVALID: .*enforce is refused: others may write.*everybody/);
    expect(await responder.start({ EYRIE_RESPONDER_TRUST_TOPICS: 'true' })).toBe('ready');
    expect(await responder.end('SIGTERM')).toBe(0);
  }, 120_000);
}
