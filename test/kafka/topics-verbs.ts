import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client } from '@eyrie/platform/bus/kafka/client';
import { openKafka } from '@eyrie/platform/bus/kafka/kafka';
import { TOPIC_NAMES } from '@eyrie/schemas';
import { afterAll, describe, expect, test } from 'vitest';
import { kafkaOptions } from './kafka-child.ts';

const MAIN = join(import.meta.dirname, '../../services/cli/src/main.ts');

/** Several processes, one after the other. */
const TIMEOUT_MS = 180_000;

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

    /** Never waited for in place: the broker writes to this process, and stops where nobody reads. */
    function eyrie(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
      const env = { ...process.env, EYRIE_KAFKA_BROKERS: brokers.join(','), EYRIE_TOPIC_PREFIX: options.prefix };
      return new Promise((resolve) => {
        const child = execFile(process.execPath, [MAIN, 'topics', ...args], { env }, (_, stdout, stderr) =>
          resolve({ status: child.exitCode ?? -1, stdout, stderr }),
        );
      });
    }

    test('the plan is printed, made, found again, and checked', { timeout: TIMEOUT_MS }, async () => {
      const planned = await eyrie('create', '--dry-run', '--partitions', 'raw=2,alerts=4', '--replication-factor', '1');
      expect(planned.status, planned.stderr).toBe(0);
      expect(planned.stdout).toMatch(/\.raw +2 × 1 +cleanup\.policy=delete .*retention\.ms=604800000/);
      expect(planned.stdout.trim().split('\n')).toHaveLength(TOPIC_NAMES.length);
      const missing = await eyrie('check', '--json');
      expect(missing.status).toBe(1);
      expect(JSON.parse(missing.stdout).findings).toContainEqual(
        expect.objectContaining({
          topic: `${options.prefix}raw`,
          found: 'missing',
          mend: expect.stringContaining('eyrie topics create'),
        }),
      );
      const refused = await eyrie('create', '--replication-factor', '99');
      expect(refused).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^EYRIE_CONFIG_INVALID: .*replication/i),
      });
      const made = await eyrie('create', '--partitions', 'raw=2,alerts=4', '--replication-factor', '1', '--json');
      expect(made.status, made.stderr).toBe(0);
      expect(JSON.parse(made.stdout).created).toHaveLength(TOPIC_NAMES.length);
      expect((await eyrie('create', '--replication-factor', '1')).stdout).toContain('nothing was changed');
      const bus = await openKafka(options);
      expect([bus.partitions('raw'), bus.partitions('events'), bus.partitions('documents')]).toEqual([2, 4, 1]);
      await bus.close();
      const checked = await eyrie('check', '--replication-factor', '2');
      expect(checked.status).toBe(1);
      expect(checked.stdout).toContain(`${options.prefix}raw: replication factor is 1, wanted 2`);
    });

    test('what cannot be is refused as usage', { timeout: TIMEOUT_MS }, async () => {
      for (const list of ['raw=0', 'raw', 'events=3', 'raw=1,']) {
        expect(await eyrie('create', '--partitions', list), list).toMatchObject({ status: 2 });
      }
      expect((await eyrie('acls', 'gateway')).stdout).toContain(`--operation Write --topic ${options.prefix}raw`);
    });
  });
}
