import { reconcile } from '@eyrie/archiver';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Alert } from '@eyrie/schemas';
import type { Pipeline } from './pipeline.ts';

type Counts = Record<string, Record<string, Record<string, number>>>;

export interface ReplayResult {
  readonly events_in: number;
  /** stage → outcome → reason → lines; their sum is `events_in`. */
  readonly outcomes: Counts;
  /** Event ids in the store, those of earlier runs included. */
  readonly ids_distinct: number;
  /** Opened by this run; `suppressed` are among `opened`. */
  readonly alerts: { readonly opened: number; readonly suppressed: number; readonly by_rule: Record<string, number> };
  readonly health_events: number;
  readonly dead_letters: number;
  /** What the store holds, by tenant and month. */
  readonly monthly: readonly {
    readonly tenant: string;
    readonly month: string;
    readonly alerts: number;
    readonly suppressed: number;
  }[];
  /** How many alerts judge and SQL count apart; 0 when both sides agree. */
  readonly reconciliation: number;
  readonly seconds: number;
  readonly events_per_second: number;
}

/** Reads outcomes, store and reconciliation once everything has gone all the way. */
export async function summarise(
  pipeline: Pipeline,
  eventsIn: number,
  seconds: number,
  opened: ReadonlySet<string>,
  latest: ReadonlyMap<string, Alert>,
): Promise<ReplayResult> {
  const { store } = pipeline;
  if (store === undefined) throw new TypeError('a replay archives');
  const outcomes = await outcomeCounts(pipeline.metrics);
  const sumOf = (name: string) =>
    Object.values(outcomes).reduce(
      (sum, stage) => sum + Object.values(stage[name] ?? {}).reduce((a, b) => a + b, 0),
      0,
    );
  const byRule: Record<string, number> = Object.create(null);
  let suppressed = 0;
  for (const id of opened) {
    const alert = latest.get(id);
    if (alert === undefined) continue;
    byRule[alert.rule] = (byRule[alert.rule] ?? 0) + 1;
    if (alert.disposition === 'suppressed') suppressed += 1;
  }
  const [ids] = await store.query<{ n: string }>('SELECT uniqExact(tenant, event_id) AS n FROM eyrie.events');
  const monthly = await store.query<{ tenant: string; month: string; alerts: string; suppressed: string }>(
    'SELECT tenant, toString(month) AS month, alerts, suppressed FROM eyrie.monthly_alerts ORDER BY tenant, month',
  );
  const { difference } = await reconcile(pipeline.bus, store);
  const deadLetters = (await pipeline.metrics.read('eyrie_dead_letters_total')).reduce(
    (sum, [, value]) => sum + value,
    0,
  );
  return {
    events_in: eventsIn,
    outcomes,
    ids_distinct: Number(ids?.n ?? 0),
    alerts: { opened: opened.size, suppressed, by_rule: byRule },
    health_events: sumOf('health'),
    dead_letters: deadLetters,
    monthly: monthly.map((row) => ({
      ...row,
      month: row.month.slice(0, 7),
      alerts: Number(row.alerts),
      suppressed: Number(row.suppressed),
    })),
    reconciliation: difference,
    seconds: Number(seconds.toFixed(3)),
    events_per_second: Math.round(eventsIn / Math.max(seconds, 1e-3)),
  };
}

async function outcomeCounts(metrics: Metrics): Promise<Counts> {
  const counts: Counts = {};
  for (const [labels, value] of await metrics.read('eyrie_outcomes_total')) {
    const [stage, outcome, reason] = [String(labels['stage']), String(labels['outcome']), String(labels['reason'])];
    counts[stage] ??= {};
    counts[stage][outcome] ??= {};
    counts[stage][outcome][reason] = value;
  }
  return counts;
}
