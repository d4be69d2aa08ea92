import { LiveLedger } from '../core/simulate/live-ledger.ts';
import { INTENT_EXPRESSIONS, liveIntent } from '../core/simulate/stored-event.ts';
import type { Span } from './pages.ts';
import { moment, oneOf, pageOf, rowsOf, type Select, text } from './select.ts';

const PAGE_ROWS = 50_000;
/** Ids in one statement: it is bounded in bytes. */
const IDS = 1_000;
/** A merged alert may have merged into one that merged. */
const MERGES_MAX = 5;

/** How long before the span an alert may have been decided on that still grows in it, milliseconds. */
const BEFORE_MS = 32 * 86_400_000;

/** What the ledger holds of the intents of these rules: those of the span, and those live had decided before. */
export async function readLedger(select: Select, ruleIds: readonly string[], { from, to }: Span): Promise<LiveLedger> {
  const ledger = new LiveLedger();
  if (ruleIds.length === 0) return ledger;
  const about = `${oneOf('rule_id', ruleIds)} AND at >= ${moment(from - BEFORE_MS)} AND at < ${moment(to)}`;
  const asked = new Set(ruleIds);
  let after = '';
  for (let size = PAGE_ROWS; ledger.isWhole; ) {
    const beyond = after;
    const sql = (limit: number) =>
      `SELECT ${INTENT_EXPRESSIONS.join(', ')} FROM eyrie.action_versions ` +
      `WHERE ${about} AND intent_key > ${text(beyond)} ` +
      `GROUP BY intent_key ORDER BY intent_key LIMIT ${limit}`;
    const { rows, limit } = await pageOf(select, sql, size);
    for (const intent of rows.map(liveIntent)) if (asked.has(intent.rule_id)) ledger.add(intent);
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) break;
    after = String(last[0]);
    size = limit;
  }
  return ledger;
}

/** What is stored of the span. */
export interface HistoryFound {
  /** ISO 8601 of the first and last judged event; absent when there is none. */
  readonly first?: string;
  readonly last?: string;
  readonly days: number;
  readonly events: number;
  readonly alert_versions: number;
}

export async function findHistory(select: Select, { from, to }: Span): Promise<HistoryFound> {
  const within = (time: string) => `${time} >= ${moment(from)} AND ${time} < ${moment(to)}`;
  const ms = (time: string) => `toUnixTimestamp64Milli(${time})`;
  const [events] = await rowsOf(
    select,
    `SELECT count(), min(${ms('judged_at')}), max(${ms('judged_at')}) FROM eyrie.events WHERE ${within('judged_at')}`,
    1,
  );
  const [versions] = await rowsOf(select, `SELECT count() FROM eyrie.alert_versions WHERE ${within('updated_at')}`, 1);
  const [count = 0, first = 0, last = 0] = (events ?? []).map(Number);
  return {
    ...(count > 0 && { first: new Date(first).toISOString(), last: new Date(last).toISOString() }),
    days: count === 0 ? 0 : Math.round(((last - first) / 86_400_000) * 100) / 100,
    events: count,
    alert_versions: Number(versions?.[0] ?? 0),
  };
}

/** The verdicts people gave, by alert; of a merged alert that of the one it became. */
export async function readVerdicts(select: Select, alertIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const verdicts = new Map<string, string>();
  const became = new Map<string, string>();
  let open = [...new Set(alertIds)];
  for (let round = 0; round < MERGES_MAX && open.length > 0; round += 1) {
    const merged = new Set<string>();
    for (let start = 0; start < open.length; start += IDS) {
      const ids = open.slice(start, start + IDS).map(text);
      const sql = `SELECT alert_id, verdict, merged_into FROM eyrie.alerts WHERE alert_id IN (${ids.join(', ')})`;
      for (const [id, verdict, into] of await rowsOf(select, sql, 2 * IDS)) {
        if (verdict !== '') verdicts.set(String(id), String(verdict));
        else if (into !== '') {
          became.set(String(id), String(into));
          merged.add(String(into));
        }
      }
    }
    open = [...merged].filter((id) => !verdicts.has(id));
  }
  for (const id of alertIds) {
    let last = id;
    for (let round = 0; round < MERGES_MAX && !verdicts.has(last); round += 1) last = became.get(last) ?? last;
    const verdict = verdicts.get(last);
    if (verdict !== undefined) verdicts.set(id, verdict);
  }
  return verdicts;
}
