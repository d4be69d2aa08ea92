import { TOPIC_NAMES, TOPICS, type TopicName, type TopicSpec } from '@eyrie/schemas';
import type { Names } from './names.ts';
import { cleanupOf, leastInSync, maxMessageBytes, retentionMs } from './topic-plan.ts';

/** A topic as it is. */
export interface FoundTopic {
  readonly partitions: number;
  /** Of the partition that has fewest. */
  readonly replicas: number;
  /** As Kafka names them; empty where the settings may not be read. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface FoundTopics {
  readonly topics: ReadonlyMap<TopicName, FoundTopic>;
  /** Of a broker; undefined where they may not be read. */
  readonly brokerSettings: Readonly<Record<string, string>> | undefined;
}

export interface Finding {
  /** Kafka's name; undefined for a setting of the brokers. */
  readonly topic: string | undefined;
  readonly setting: string;
  readonly found: string;
  readonly wanted: string;
  /** The command, or what to do where no command mends it. */
  readonly mend: string;
  /** A role does not start on it: it would lose or double records, or stop at the first large one. */
  readonly isFatal: boolean;
}

interface Wanted {
  readonly names: Names;
  /** `host:port,…` for the commands. */
  readonly bootstrap: string;
  readonly replicationFactor: number;
  readonly eventBytes?: number;
}

const MINUTE_MS = 60_000;
const FOR_EVER = '-1';

/** Everything in which the topics differ from the table, in its order. */
export function compareTopics({ topics, brokerSettings }: FoundTopics, wanted: Wanted): readonly Finding[] {
  const counts = countsOf(topics);
  return [
    ...TOPIC_NAMES.flatMap((topic) => {
      const found = topics.get(topic);
      if (found === undefined) return [missing(topic, wanted)];
      return [
        ...partitions(topic, found, counts, wanted),
        ...replication(topic, found, wanted),
        ...settings(topic, found, wanted),
      ];
    }),
    ...brokers(brokerSettings, wanted),
  ];
}

/** The count most topics of a kind have, the larger one of two: what the others should have. */
function countsOf(topics: FoundTopics['topics']): ReadonlyMap<TopicSpec['partitions'], number> {
  const counts = new Map<TopicSpec['partitions'], number>([['one', 1]]);
  for (const kind of ['raw', 'alerts', 'actions', 'shared'] as const) {
    const all = TOPIC_NAMES.filter((name) => TOPICS[name].partitions === kind).flatMap(
      (name) => topics.get(name)?.partitions ?? [],
    );
    const often = (count: number) => all.filter((one) => one === count).length;
    const [best] = [...all].sort((a, b) => often(b) - often(a) || b - a);
    if (best !== undefined) counts.set(kind, best);
  }
  return counts;
}

function missing(topic: TopicName, { names }: Wanted): Finding {
  return {
    topic: names.topic(topic),
    setting: 'topic',
    found: 'missing',
    wanted: 'there',
    mend: 'eyrie topics create; if it is there, the ACL Describe on it is missing',
    isFatal: true,
  };
}

function partitions(
  topic: TopicName,
  found: FoundTopic,
  counts: ReturnType<typeof countsOf>,
  { names, bootstrap }: Wanted,
): Finding[] {
  const kind = TOPICS[topic].partitions;
  const count = counts.get(kind) ?? found.partitions;
  if (found.partitions === count) return [];
  const name = names.topic(topic);
  return [
    {
      topic: name,
      setting: 'partitions',
      found: String(found.partitions),
      wanted: kind === 'one' ? '1' : `${count}, as the other topics of ${kind}`,
      mend: `never grown in place: stop Eyrie, kafka-topics.sh --bootstrap-server ${bootstrap} --delete --topic ${name} (its records go), eyrie topics create`,
      isFatal: true,
    },
  ];
}

function replication(topic: TopicName, found: FoundTopic, { names, bootstrap, replicationFactor }: Wanted): Finding[] {
  if (found.replicas >= replicationFactor) return [];
  return [
    {
      topic: names.topic(topic),
      setting: 'replication factor',
      found: String(found.replicas),
      wanted: String(replicationFactor),
      mend: `kafka-reassign-partitions.sh --bootstrap-server ${bootstrap} --execute --reassignment-json-file FILE, with ${replicationFactor} replicas of each partition`,
      isFatal: false,
    },
  ];
}

interface Rule {
  readonly setting: string;
  /** What to set it to. */
  readonly value: string;
  readonly wanted?: string;
  readonly isFit: (found: string) => boolean;
  readonly isFatal: boolean;
}

function settings(
  topic: TopicName,
  { settings, replicas }: FoundTopic,
  { names, bootstrap, ...wanted }: Wanted,
): Finding[] {
  const name = names.topic(topic);
  return rulesOf(topic, Math.max(replicas, 1), wanted.eventBytes).flatMap(
    ({ setting, value, wanted, isFit, isFatal }) => {
      const found = settings[setting];
      if (found === undefined || isFit(found)) return [];
      const alter = `kafka-configs.sh --bootstrap-server ${bootstrap} --alter --entity-type topics --entity-name ${name}`;
      const mend = `${alter} --add-config ${setting}=${value}`;
      return [{ topic: name, setting, found, wanted: wanted ?? value, mend, isFatal }];
    },
  );
}

function rulesOf(topic: TopicName, replicas: number, eventBytes: number | undefined): Rule[] {
  const cleanup = cleanupOf(topic);
  const bytes = maxMessageBytes(eventBytes);
  const inSync = leastInSync(replicas);
  const keptMs = retentionMs(topic);
  return [
    { setting: 'cleanup.policy', value: cleanup, isFit: (found) => found === cleanup, isFatal: true },
    atLeast('max.message.bytes', bytes, true),
    {
      setting: 'min.insync.replicas',
      value: String(inSync),
      // As many as there are: the first broker that goes down would stop every writer.
      isFit: (found) => Number(found) >= inSync && (replicas === 1 || Number(found) < replicas),
      isFatal: false,
    },
    {
      setting: 'unclean.leader.election.enable',
      value: 'false',
      isFit: (found) => found === 'false',
      isFatal: true,
    },
    ...(keptMs === undefined ? [] : [atLeast('retention.ms', keptMs, false), forEver('retention.bytes')]),
  ];
}

function atLeast(setting: string, least: number, isFatal: boolean): Rule {
  const isFit = (found: string) => found === FOR_EVER || Number(found) >= least;
  return { setting, value: String(least), wanted: `${least} or more`, isFit, isFatal };
}

function forEver(setting: string): Rule {
  return { setting, value: FOR_EVER, isFit: (found) => found === FOR_EVER, isFatal: false };
}

/** A group that is not there for a time must find its positions again as long as its records are kept. */
function brokers(settings: FoundTopics['brokerSettings'], { bootstrap }: Wanted): Finding[] {
  const setting = 'offsets.retention.minutes';
  const found = settings?.[setting];
  const least = Math.max(...TOPIC_NAMES.map((topic) => retentionMs(topic) ?? 0)) / MINUTE_MS;
  if (found === undefined || Number(found) >= least) return [];
  const mend = `${setting}=${least} in server.properties of every broker, then restart them one after the other (${bootstrap})`;
  return [{ topic: undefined, setting, found, wanted: `${least} or more`, mend, isFatal: false }];
}

/** One finding in a line. */
export function describeFinding({ topic, setting, found, wanted, mend }: Finding): string {
  return `${topic ?? 'brokers'}: ${setting} is ${found}, wanted ${wanted}. ${mend}`;
}
