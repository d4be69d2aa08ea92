import { TOPIC_NAMES, type TopicName } from '@eyrie/schemas';
import { describe, expect, test } from 'vitest';
import { Names } from './names.ts';
import { compareTopics, describeFinding, type FoundTopic } from './topic-findings.ts';
import { planTopics } from './topic-plan.ts';

const names = new Names('p.');
const choices = { partitions: { raw: 2, alerts: 4, actions: 3, shared: 1 }, replicationFactor: 3 };
const wanted = { names, bootstrap: 'one:9092', replicationFactor: 3 };
const BROKER = { 'offsets.retention.minutes': '129600' };

/** As `topics create` makes them, with what Kafka adds. */
function planned(): Map<TopicName, FoundTopic> {
  return new Map(
    planTopics(names, choices).map(({ topic, partitions, replicationFactor, settings }) => [
      topic,
      { partitions, replicas: replicationFactor, settings: { 'retention.bytes': '-1', ...settings } },
    ]),
  );
}

function changed(topic: TopicName, change: Partial<FoundTopic> | Readonly<Record<string, string>>) {
  const topics = planned();
  const found = topics.get(topic);
  if (found === undefined) throw new Error(topic);
  const isTopic = 'partitions' in change || 'replicas' in change;
  const other = isTopic ? change : { settings: { ...found.settings, ...(change as Record<string, string>) } };
  topics.set(topic, { ...found, ...other });
  return compareTopics({ topics, brokerSettings: BROKER }, wanted);
}

describe('topics against the table', () => {
  test('those that `topics create` makes are as they should be', () => {
    expect(compareTopics({ topics: planned(), brokerSettings: BROKER }, wanted)).toEqual([]);
  });

  test.for([
    ['raw', { 'cleanup.policy': 'compact' }, 'cleanup.policy', 'delete', true],
    ['alert-state', { 'cleanup.policy': 'compact,delete' }, 'cleanup.policy', 'compact', true],
    ['documents', { 'cleanup.policy': 'delete' }, 'cleanup.policy', 'compact', true],
    ['events', { 'max.message.bytes': '1048576' }, 'max.message.bytes', '2097152 or more', true],
    ['judged', { 'retention.ms': '3600000' }, 'retention.ms', '604800000 or more', false],
    ['judged', { 'retention.bytes': '1000' }, 'retention.bytes', '-1', false],
    ['actions', { 'unclean.leader.election.enable': 'true' }, 'unclean.leader.election.enable', 'false', true],
    ['alerts', { 'min.insync.replicas': '1' }, 'min.insync.replicas', '2', false],
    ['alerts', { 'min.insync.replicas': '3' }, 'min.insync.replicas', '2', false],
    ['alerts', { replicas: 2 }, 'replication factor', '3', false],
    ['commands', { partitions: 5 }, 'partitions', '4, as the other topics of alerts', true],
    ['documents', { partitions: 2 }, 'partitions', '1', true],
  ] as const)('%s with %o is told', ([topic, change, setting, wanted, isFatal]) => {
    const findings = changed(topic, change);
    const about = findings.filter((finding) => finding.setting === setting);
    expect(about).toHaveLength(1);
    expect(about[0]).toMatchObject({ topic: `p.${topic}`, setting, wanted, isFatal });
    const [[name, found] = []] = Object.entries(change);
    expect(about[0]?.found).toBe(String(found));
    // Fewer replicas change what is wanted of them; nothing else is said of anything else.
    if (name !== 'replicas') expect(findings).toHaveLength(1);
    expect(describeFinding(about[0] as never)).toContain(`p.${topic}`);
  });

  test.for([
    ['retention.ms', '-1'],
    ['retention.ms', '604800001'],
    ['max.message.bytes', '9000000'],
  ] as const)('more than is wanted is no finding: %s=%s', ([setting, value]) => {
    expect(changed('raw', { [setting]: value })).toEqual([]);
  });

  test('greater events want greater messages', () => {
    const findings = compareTopics(
      { topics: planned(), brokerSettings: BROKER },
      { ...wanted, eventBytes: 1024 * 1024 },
    );
    expect(new Set(findings.map(({ setting }) => setting))).toEqual(new Set(['max.message.bytes']));
    expect(findings).toHaveLength(TOPIC_NAMES.length);
    expect(findings[0]).toMatchObject({ wanted: '4194304 or more', isFatal: true });
  });

  test('a topic that is missing, and positions that expire before the records', () => {
    const topics = planned();
    topics.delete('health');
    const findings = compareTopics({ topics, brokerSettings: { 'offsets.retention.minutes': '10080' } }, wanted);
    expect(findings).toEqual([
      expect.objectContaining({
        topic: 'p.health',
        found: 'missing',
        mend: expect.stringContaining('eyrie topics create'),
        isFatal: true,
      }),
      expect.objectContaining({ setting: 'offsets.retention.minutes', found: '10080', wanted: '129600 or more' }),
    ]);
  });

  test('what may not be read is not judged', () => {
    const topics = new Map([...planned()].map(([topic, found]) => [topic, { ...found, settings: {} }]));
    expect(compareTopics({ topics, brokerSettings: undefined }, wanted)).toEqual([]);
  });

  test('every command names the brokers and the topic', () => {
    const [finding] = changed('raw', { 'cleanup.policy': 'compact' });
    expect(finding?.mend).toBe(
      'kafka-configs.sh --bootstrap-server one:9092 --alter --entity-type topics --entity-name p.raw --add-config cleanup.policy=delete',
    );
  });
});
