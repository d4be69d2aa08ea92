import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Every metric, its meaning and labels. Labels come from closed lists, never from events. `docs/reference/metrics.md` is made from it. */
export const METRICS = {
  eyrie_outcomes_total: {
    type: 'counter',
    help: 'Endings of records; in = sum of outcomes.',
    labels: ['stage', 'outcome', 'reason'],
  },
  eyrie_intake_requests_total: { type: 'counter', help: 'Posts to the gateway by status code.', labels: ['code'] },
  eyrie_intake_events_total: {
    type: 'counter',
    help: 'Lines stored by the gateway: accepted, rejected or blank.',
    labels: ['result'],
  },
  eyrie_input_records_total: {
    type: 'counter',
    help: 'Records of topics that are inputs: stored as lines, or unreadable (blind time).',
    labels: ['topic', 'result'],
  },
  eyrie_intake_refused_total: {
    type: 'counter',
    help: 'Requests refused (blind time), by error code.',
    labels: ['code'],
  },
  eyrie_intake_inflight_bytes: { type: 'gauge', help: 'Bytes of bodies held in memory.', labels: [] },
  eyrie_intake_commit_seconds: { type: 'histogram', help: 'Group commit of the raw log, synced.', labels: [] },
  eyrie_bus_lag_records: {
    type: 'gauge',
    help: 'Records between a group and the end of its input.',
    labels: ['group', 'topic'],
  },
  eyrie_bus_lag_seconds: {
    type: 'gauge',
    help: 'How long the first record has waited that a group of this process has not read.',
    labels: ['group', 'topic'],
  },
  eyrie_path_seconds: {
    type: 'histogram',
    help: 'The whole path: from the gateway, which raises a heartbeat, to the archiver, behind what was inserted with it.',
    labels: [],
  },
  eyrie_ready: {
    type: 'gauge',
    help: '1 while a part of this process works: log, store, each group, as `/readyz` says.',
    labels: ['part'],
  },
  eyrie_bus_bytes: { type: 'gauge', help: 'Bytes held by a topic of the embedded log.', labels: ['topic'] },
  eyrie_bus_transactions_total: { type: 'counter', help: 'Committed steps by group.', labels: ['group'] },
  eyrie_bus_lost_records_total: {
    type: 'counter',
    help: 'Records removed before a group had read them.',
    labels: ['group', 'topic'],
  },
  eyrie_dead_letters_total: {
    type: 'counter',
    help: 'Records set aside, by stage and reason.',
    labels: ['stage', 'reason'],
  },
  eyrie_bound_reached_total: { type: 'counter', help: 'Times a stated bound was reached.', labels: ['bound'] },
  eyrie_windows_open: { type: 'gauge', help: 'Open windows of the judge.', labels: ['partition'] },
  eyrie_redelivery_memory_seconds: {
    type: 'gauge',
    help: 'Span of event ids remembered against redelivery.',
    labels: ['partition'],
  },
  eyrie_redelivery_memory_ids: {
    type: 'gauge',
    help: 'Event ids remembered against redelivery.',
    labels: ['partition'],
  },
  eyrie_state_entries: {
    type: 'gauge',
    help: 'Entries of committed judge state by kind.',
    labels: ['partition', 'kind'],
  },
  eyrie_bus_standby_entries: {
    type: 'gauge',
    help: 'Entries of state of partitions that other processes own, kept to take them over sooner.',
    labels: ['group'],
  },
  eyrie_bus_standby_bytes: { type: 'gauge', help: 'What they take, about.', labels: ['group'] },
  eyrie_bus_restores_total: {
    type: 'counter',
    help: 'Partitions taken over, by where most of their state came from: standby or log.',
    labels: ['group', 'from'],
  },
  eyrie_state_restore_seconds: {
    type: 'gauge',
    help: 'Time the judge took to restore its state.',
    labels: ['partition'],
  },
  eyrie_store_rows_total: { type: 'counter', help: 'Rows inserted into ClickHouse by table.', labels: ['table'] },
  eyrie_store_rows_skipped_total: {
    type: 'counter',
    help: 'Rows of a log new to the archiver that were stored already.',
    labels: ['table'],
  },
  eyrie_store_insert_seconds: { type: 'histogram', help: 'Inserts into ClickHouse.', labels: ['table'] },
  eyrie_store_retries_total: { type: 'counter', help: 'Repeated inserts (same token).', labels: [] },
  eyrie_monthly_difference: {
    type: 'gauge',
    help: 'How many alerts judge and SQL count apart; must be 0.',
    labels: [],
  },
  eyrie_actions_total: {
    type: 'counter',
    help: 'Ledger states by kind of action.',
    labels: ['actionner', 'state', 'reason'],
  },
  eyrie_owner_unresolved_total: {
    type: 'counter',
    help: "Notices to the owner of a namespace that went to the connection's own place instead, by why.",
    labels: ['reason'],
  },
  eyrie_stream_clients: { type: 'gauge', help: 'Open event streams.', labels: [] },
  eyrie_http_requests_total: {
    type: 'counter',
    help: 'API requests by route and status class.',
    labels: ['route', 'status'],
  },
} as const satisfies Record<
  string,
  { type: 'counter' | 'gauge' | 'histogram'; help: string; labels: readonly string[] }
>;

export type MetricName = keyof typeof METRICS;
type Labels<N extends MetricName> = Readonly<Record<(typeof METRICS)[N]['labels'][number], string>>;

export interface Metrics {
  /** Adds to a counter. */
  count<N extends MetricName>(name: N, labels: Labels<N>, by?: number): void;
  /** Sets a gauge. */
  set<N extends MetricName>(name: N, labels: Labels<N>, value: number): void;
  /** Observes seconds in a histogram. */
  observe<N extends MetricName>(name: N, labels: Labels<N>, seconds: number): void;
  /** Sum of a counter or gauge by label values, for tests and `replay`: `[[labels, value], …]`. */
  read(name: MetricName): Promise<(readonly [Readonly<Record<string, string | number>>, number])[]>;
  /** Prometheus text. */
  text(): Promise<string>;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const [name, { type, help, labels }] of Object.entries(METRICS)) {
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    if (type === 'counter') counters.set(name, new Counter(options));
    else if (type === 'gauge') gauges.set(name, new Gauge(options));
    else histograms.set(name, new Histogram({ ...options, buckets: SECONDS }));
  }
  return {
    count: (name, labels, by = 1) => counters.get(name)?.inc(labels, by),
    set: (name, labels, value) => gauges.get(name)?.set(labels, value),
    observe: (name, labels, seconds) => histograms.get(name)?.observe(labels, seconds),
    read: async (name) => {
      const metric = await registry.getSingleMetric(name)?.get();
      return metric === undefined
        ? []
        : metric.values.map(({ labels, value }) => [labels as Record<string, string | number>, value] as const);
    },
    text: () => registry.metrics(),
  };
}
