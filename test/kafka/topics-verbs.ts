import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client } from '@eyrie/platform/bus/kafka/client';
import { openKafka } from '@eyrie/platform/bus/kafka/kafka';
import { TOPIC_NAMES } from '@eyrie/schemas';
import { afterAll, describe, expect, test } from 'vitest';
import { kafkaOptions } from './kafka-child.ts';

const MAIN = join(import.meta.dirname, '../../services/cli/src/main.ts');

/** `eyrie topics`, as a person calls it. */
export function describeTopicsVerbs(brokers: readonly string[]): void {
  describe('eyrie topics', () => {
    const options = kafkaOptions({ brokers, prefix: `test-${randomBytes(4).toString('hex')}.` });

    afterAll(async () => {
      const admin = new Client(options).admin();
      await admin.connect();
      const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(options.prefix));
      await admin.deleteTopics({ topics });
      await admin.disconnect();
    });

    function eyrie(...args: string[]) {
      const env = { ...process.env, EYRIE_KAFKA_BROKERS: brokers.join(','), EYRIE_TOPIC_PREFIX: options.prefix };
      const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'topics', ...args], {
        env,
        encoding: 'utf8',
      });
      return { status, stdout, stderr };
    }

    test('the plan is printed, made, found again, and checked', async () => {
      const planned = eyrie('create', '--dry-run', '--partitions', 'raw=2,alerts=4', '--replication-factor', '1');
      expect(planned.status, planned.stderr).toBe(0);
      expect(planned.stdout).toMatch(/\.raw +2 × 1 +cleanup\.policy=delete .*retention\.ms=604800000/);
      expect(planned.stdout.trim().split('\n')).toHaveLength(TOPIC_NAMES.length);
      const missing = eyrie('check', '--json');
      expect(missing.status).toBe(1);
      expect(JSON.parse(missing.stdout).findings).toContainEqual(
        expect.objectContaining({
          topic: `${options.prefix}raw`,
          found: 'missing',
          mend: expect.stringContaining('eyrie topics create'),
        }),
      );
      const refused = eyrie('create', '--replication-factor', '99');
      expect(refused).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^EYRIE_CONFIG_INVALID: .*replication/i),
      });
      const made = eyrie('create', '--partitions', 'raw=2,alerts=4', '--replication-factor', '1', '--json');
      expect(made.status, made.stderr).toBe(0);
      expect(JSON.parse(made.stdout).created).toHaveLength(TOPIC_NAMES.length);
      expect(eyrie('create', '--replication-factor', '1').stdout).toContain('nothing was changed');
      const bus = await openKafka(options);
      expect([bus.partitions('raw'), bus.partitions('events'), bus.partitions('documents')]).toEqual([2, 4, 1]);
      await bus.close();
      const checked = eyrie('check', '--replication-factor', '2');
      expect(checked.status).toBe(1);
      expect(checked.stdout).toContain(`${options.prefix}raw: replication factor is 1, wanted 2`);
    });

    test('what cannot be is refused as usage', () => {
      for (const list of ['raw=0', 'raw', 'events=3', 'raw=1,']) {
        expect(eyrie('create', '--partitions', list), list).toMatchObject({ status: 2 });
      }
      expect(eyrie('acls', 'gateway').stdout).toContain(`--operation Write --topic ${options.prefix}raw`);
    });
  });
}
