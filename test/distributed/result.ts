import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TestServer } from '@eyrie/platform/testing/clickhouse/test-server';
import { wait } from './fleet.ts';

/** What must be the same whatever happened on the way. */
export interface Result {
  /** Rows of events, and the distinct ids among them. */
  readonly rows: number;
  readonly ids: number;
  /** SHA-256 over all event ids, sorted. */
  readonly idsDigest: string;
  /** Per fingerprint: alerts, their counts together, first and last seen. */
  readonly fingerprints: ReadonlyMap<string, string>;
  readonly monthly: string;
  readonly difference: number;
  /** Versions of alerts, and how many of them are there more than once. */
  readonly doubledVersions: number;
  /** One line an execution of the script. */
  readonly traces: readonly string[];
  readonly unknown: number;
  /** How many executions may have been cut short, so that nobody knows how they ended. */
  readonly unknownMax: number;
  readonly deadLetters: readonly string[];
}

/** So many equal looks, half a second apart, count as rest: a reader that starts anew may wait for seconds. */
const QUIET_LOOKS = 10;
const PATIENCE_MS = 180_000;

/** Waits until everything due is there, nothing changes any more and no action is under way. */
export async function settled(
  server: TestServer,
  due: { readonly events: number; readonly actions: number },
  trace: string,
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  let before = '';
  for (let quiet = 0; quiet < QUIET_LOOKS; ) {
    if (performance.now() > deadline) throw new Error(`no rest: ${before}, due: ${JSON.stringify(due)}`);
    await wait(500);
    const [state] = await query<{ events: string; versions: string; open: string; unknown: string }>(
      server,
      `SELECT (SELECT uniqExact(event_id) FROM eyrie.events) AS events,
        concat(toString((SELECT count() FROM eyrie.events)), ' ', toString((SELECT sum(version) FROM eyrie.alerts)), ' ',
          toString((SELECT sum(version) FROM eyrie.actions)), ' ', toString((SELECT sum(count) FROM eyrie.duplicates))) AS versions,
        (SELECT count() FROM eyrie.actions WHERE state IN ('planned', 'executing')) AS open,
        (SELECT count() FROM eyrie.actions WHERE state = 'unknown') AS unknown`,
    );
    const executed = readFileSync(trace, 'utf8').split('\n').filter(Boolean).length;
    const now = `${state?.events} ${state?.versions} ${executed}`;
    const isAllThere = Number(state?.events) >= due.events && executed + Number(state?.unknown) >= due.actions;
    const isAtRest = now === before && isAllThere && Number(state?.open) === 0;
    quiet = isAtRest ? quiet + 1 : 0;
    before = now;
  }
}

export async function readResult(
  server: TestServer,
  api: string,
  token: string,
  trace: string,
): Promise<Omit<Result, 'unknownMax'>> {
  const ids = await query<{ id: string }>(server, 'SELECT event_id AS id FROM eyrie.events ORDER BY id');
  const fingerprints = await query<{ fingerprint: string; what: string }>(
    server,
    `SELECT fingerprint, concat(toString(count()), ' ', toString(sum(count)), ' ', toString(min(first_seen)), ' ',
      toString(max(last_seen))) AS what FROM eyrie.alerts GROUP BY fingerprint`,
  );
  const [versions] = await query<{ doubled: string }>(
    server,
    'SELECT count() - uniqExact(tenant, alert_id, version) AS doubled FROM eyrie.alert_versions',
  );
  const monthly = await query<object>(
    server,
    'SELECT tenant, toString(month) AS month, alerts, suppressed FROM eyrie.monthly_alerts ORDER BY ALL',
  );
  const [unknown] = await query<{ n: string }>(
    server,
    "SELECT count() AS n FROM eyrie.actions WHERE state = 'unknown'",
  );
  const letters = await query<{ letter: string }>(
    server,
    "SELECT concat(topic, ' ', reason) AS letter FROM eyrie.dead_letters ORDER BY letter",
  );
  const distinct = [...new Set(ids.map(({ id }) => id))];
  return {
    rows: ids.length,
    ids: distinct.length,
    idsDigest: createHash('sha256').update(distinct.join()).digest('hex'),
    fingerprints: new Map(fingerprints.map(({ fingerprint, what }) => [fingerprint, what] as const).sort()),
    monthly: JSON.stringify(monthly),
    difference: await differenceOf(api, token),
    doubledVersions: Number(versions?.doubled),
    traces: readFileSync(trace, 'utf8').split('\n').filter(Boolean),
    unknown: Number(unknown?.n),
    deadLetters: letters.map(({ letter }) => letter),
  };
}

async function differenceOf(api: string, token: string): Promise<number> {
  const answer = await fetch(`${api}/v1/metrics/monthly-alerts`, { headers: { authorization: `Bearer ${token}` } });
  const { reconciliation } = (await answer.json()) as { reconciliation: { difference: number } };
  return reconciliation.difference;
}

/** Asks the server itself, past whatever lies between it and the roles. */
async function query<T>(server: TestServer, sql: string): Promise<readonly T[]> {
  const authorization = `Basic ${Buffer.from(`${server.user}:${server.password}`).toString('base64')}`;
  const answer = await fetch(`${server.url()}/?default_format=JSON&wait_end_of_query=1`, {
    method: 'POST',
    headers: { authorization },
    body: sql,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`ClickHouse answered ${answer.status}: ${text.slice(0, 500)}`);
  return (JSON.parse(text) as { data: T[] }).data;
}
