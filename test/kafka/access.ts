import { checkAccess, checkTopics } from '@eyrie/platform/bus/kafka/check';
import { Client } from '@eyrie/platform/bus/kafka/client';
import { type KafkaOptions, openKafka } from '@eyrie/platform/bus/kafka/kafka';
import { createTopics } from '@eyrie/platform/bus/kafka/topics';
import { ACCESS, ACCESS_ROLES, type AccessRole, type Acl, aclsOf, TOPIC_NAMES, type TopicName } from '@eyrie/schemas';
import { beforeAll, describe, expect, test } from 'vitest';

interface Place {
  readonly prefix: string;
  /** Logged since the start. */
  readonly lines: readonly string[];
  /** By the listener where everybody may do everything. */
  admin(): KafkaOptions;
  /** Logged in by name. */
  as(user: string): KafkaOptions;
}

const RESOURCES = { topic: 2, group: 3, cluster: 4, 'transactional-id': 5 } as const;
const OPERATIONS = { Read: 3, Write: 4, Describe: 8, DescribeConfigs: 10 } as const;
const PATTERNS = { literal: 3, prefixed: 4 } as const;
const PRINCIPALS = Object.fromEntries(ACCESS_ROLES.map((role) => [role, `User:${role}`])) as Record<AccessRole, string>;

/** Each role with what the table gives it and no more. */
export function describeAccess(place: Place): void {
  describe('with the ACLs of the table', () => {
    beforeAll(async () => {
      for (const role of ACCESS_ROLES) await grant(place.admin(), `User:${role}`, aclsOf(role, place.prefix));
    });

    test.for(ACCESS_ROLES)('%s reads, writes and joins what is its own, and nothing else', async (role) => {
      const {
        reads,
        writes,
        groups,
      }: { reads: readonly TopicName[]; writes: readonly TopicName[]; groups: readonly string[] } = ACCESS[role];
      const bus = await openKafka(place.as(role));
      expect(place.lines.filter((line) => line.includes('were not checked'))).toEqual([]);
      for (const topic of TOPIC_NAMES) {
        const append = bus.append([{ topic, partition: 0, key: 'k', value: Buffer.from('{}') }]);
        const read = bus.read(topic, 0, 0);
        const [wrote, found] = await Promise.allSettled([append, read]);
        expect(outcomeOf(wrote, `User:${role} lacks the ACL Write on topic ${place.prefix}${topic} `)).toBe(
          writes.includes(topic),
        );
        expect(outcomeOf(found, `User:${role} lacks the ACL Read on topic ${place.prefix}${topic} `)).toBe(
          reads.includes(topic),
        );
      }
      for (const name of groups.filter((one) => one !== 'log-identity')) {
        const group = name.endsWith('.') ? `${name}topic` : name;
        const input = reads.find((topic) => topic !== 'documents') ?? 'documents';
        const outputs = writes.map((topic) => ({ topic, partition: 0, key: 'k', value: Buffer.from('{}') }));
        await bus.join(
          { group, inputs: [input] },
          async (assigned) => void (await assigned.transact({ positions: [], outputs })),
        ).done;
      }
      await expect(
        bus.join({ group: 'foreign', inputs: ['documents'] }, async () => undefined).done,
      ).rejects.toMatchObject({
        message: expect.stringContaining(`Read on group ${place.prefix}foreign`),
      });
      await bus.close();
      expect(place.lines.filter((line) => line.includes('may not be visible yet'))).toEqual([]);
    });

    test('the responder learns who else may write where a record makes it act, the gateway may not ask', async () => {
      const ask = (user: string) => checkAccess({ ...place.as(user), principals: PRINCIPALS });
      // Another test has given everything to the client certificate.
      expect((await ask('responder'))?.filter(({ found }) => found !== 'User:CN=client')).toEqual([]);
      await grant(place.admin(), 'User:nobody', [
        { resource: 'topic', name: `${place.prefix}com`, pattern: 'prefixed', operations: ['Write'] },
      ]);
      await expect
        .poll(() => ask('responder'))
        .toContainEqual(
          expect.objectContaining({ topic: `${place.prefix}commands`, found: 'User:nobody', wanted: 'User:console' }),
        );
      expect(await ask('gateway')).toBeUndefined();
    });
  });

  test('the topics of `topics create` have one finding on a broker as it comes: positions expire too soon', async () => {
    const findings = await checkTopics(place.admin());
    expect(findings.map(({ topic, setting }) => [topic, setting])).toEqual([[undefined, 'offsets.retention.minutes']]);
  });

  test('topics that lose or mix records are refused at the start, each setting named', async () => {
    const options = { ...place.admin(), prefix: `${place.prefix}bad.` };
    const admin = new Client(options).admin();
    await admin.connect();
    const configEntries = [
      { name: 'cleanup.policy', value: 'compact,delete' },
      { name: 'max.message.bytes', value: '2097152' },
    ];
    const made = { replicationFactor: 1, configEntries };
    await admin.createTopics({
      waitForLeaders: false,
      topics: [
        { topic: `${options.prefix}alert-state`, numPartitions: 1, ...made },
        { topic: `${options.prefix}documents`, numPartitions: 2, ...made },
      ],
    });
    await admin.disconnect();
    await createTopics({ ...options, partitions: { raw: 1, alerts: 1, actions: 1, shared: 1 }, replicationFactor: 1 });
    const refused = openKafka(options).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(await refused).toContain(`${options.prefix}documents has 2 partitions`);
    const findings = await checkTopics(options);
    expect(
      findings
        .filter(({ isFatal }) => isFatal)
        .map(({ topic, setting }) => [topic?.slice(options.prefix.length), setting]),
    ).toEqual([
      ['alert-state', 'cleanup.policy'],
      ['documents', 'partitions'],
      ['documents', 'cleanup.policy'],
    ]);
  });
}

/** Allowed, or refused in so many words; anything else fails the test. */
function outcomeOf(outcome: PromiseSettledResult<unknown>, refusal: string): boolean {
  if (outcome.status === 'fulfilled') return true;
  expect(String(outcome.reason)).toContain(refusal);
  return false;
}

async function grant(options: KafkaOptions, principal: string, acls: readonly Acl[]): Promise<void> {
  const admin = new Client(options).admin();
  await admin.connect();
  await admin.createAcls({
    acl: acls.flatMap(({ resource, name, pattern, operations }) =>
      operations.map((operation) => ({
        resourceType: RESOURCES[resource],
        resourceName: name,
        resourcePatternType: PATTERNS[pattern],
        principal,
        host: '*',
        operation: OPERATIONS[operation],
        permissionType: 3,
      })),
    ),
  });
  await admin.disconnect();
}
