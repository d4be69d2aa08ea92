/** How a topic forgets: after a time, by keeping the last record of each key, or as a plain key-value changelog. */
export type Cleanup = 'delete' | 'compact' | 'changelog';

export interface TopicSpec {
  readonly cleanup: Cleanup;
  /** Days; for `delete` only. */
  readonly retentionDays?: number;
  /** Topics of one group have the same number of partitions. `one`: a single partition. */
  readonly partitions: 'raw' | 'alerts' | 'actions' | 'one' | 'shared';
  /** What a record is keyed by; frames have no key. */
  readonly key: string;
  readonly value: string;
  /** Records carry an HMAC; one without it goes to the dead letter. */
  readonly signed: boolean;
}

/** Every topic, under the prefix `eyrie.` (configurable). */
export const TOPICS = {
  raw: {
    cleanup: 'delete',
    retentionDays: 7,
    partitions: 'raw',
    key: 'none (frame)',
    value: 'raw frame',
    signed: false,
  },
  events: {
    cleanup: 'delete',
    retentionDays: 7,
    partitions: 'alerts',
    key: 'none (frame, by routing key)',
    value: 'event frame',
    signed: false,
  },
  judged: {
    cleanup: 'delete',
    retentionDays: 7,
    partitions: 'alerts',
    key: 'none (frame)',
    value: 'judged frame',
    signed: false,
  },
  alerts: { cleanup: 'delete', retentionDays: 30, partitions: 'alerts', key: 'alert_id', value: 'Alert', signed: true },
  'alert-state': { cleanup: 'changelog', partitions: 'alerts', key: 'state key', value: 'judge state', signed: false },
  commands: {
    cleanup: 'delete',
    retentionDays: 30,
    partitions: 'alerts',
    key: 'routing key',
    value: 'Command',
    signed: true,
  },
  documents: { cleanup: 'compact', partitions: 'one', key: 'tenant/kind/id', value: 'DocumentRecord', signed: true },
  workloads: {
    cleanup: 'compact',
    partitions: 'shared',
    key: 'tenant/cluster/pod uid',
    value: 'WorkloadSnapshot',
    signed: false,
  },
  images: { cleanup: 'compact', partitions: 'shared', key: 'tenant/digest', value: 'ImageSnapshot', signed: false },
  'action-requests': {
    cleanup: 'delete',
    retentionDays: 30,
    partitions: 'actions',
    key: 'tenant or alert_id',
    value: 'ActionRequest',
    signed: true,
  },
  actions: {
    cleanup: 'delete',
    retentionDays: 90,
    partitions: 'actions',
    key: 'as its request',
    value: 'ActionRecord',
    signed: true,
  },
  'action-state': {
    cleanup: 'changelog',
    partitions: 'actions',
    key: 'state key',
    value: 'responder state',
    signed: false,
  },
  health: {
    cleanup: 'delete',
    retentionDays: 30,
    partitions: 'shared',
    key: 'raw position',
    value: 'HealthRecord',
    signed: false,
  },
  'dead-letter': {
    cleanup: 'delete',
    retentionDays: 30,
    partitions: 'shared',
    key: 'raw position',
    value: 'DeadLetter',
    signed: false,
  },
} as const satisfies Record<string, TopicSpec>;

export type TopicName = keyof typeof TOPICS;
export const TOPIC_NAMES = Object.keys(TOPICS) as readonly TopicName[];
