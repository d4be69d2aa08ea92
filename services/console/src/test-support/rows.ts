import type { Store } from '@eyrie/platform/store/store';
import { type Alert, isoOfNanos, type Nanos } from '@eyrie/schemas';

type Row = Readonly<Record<string, string | number>>;

/** Inserts rows whose columns ClickHouse reads from text. */
export async function insertRows(store: Store, table: string, rows: readonly Row[]): Promise<void> {
  const names = Object.keys(rows[0] ?? {});
  await store.insert({
    table,
    columns: names.map((name) => ({ name, type: 'String' })),
    rows: Buffer.concat(rows.flatMap((row) => names.map((name) => text(String(row[name]))))),
    rowCount: rows.length,
    token: `test/${Math.random()}`,
  });
}

/** RowBinary of a String: length as LEB128, then the bytes. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    if (rest < 128) {
      length.push(rest);
      break;
    }
    length.push((rest & 127) | 128);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

const sqlTime = (nanos: Nanos) => isoOfNanos(nanos).replace('T', ' ').replace('Z', '');

/** The row an archiver would write of an alert version. */
export function alertRow(alert: Alert): Row {
  return {
    tenant: alert.tenant,
    cluster: alert.cluster,
    alert_id: alert.alert_id,
    version: alert.version,
    change: alert.change,
    state: alert.state,
    rule: alert.rule,
    priority: alert.priority,
    count: alert.count,
    opened_at: sqlTime(alert.opened_at),
    first_seen: sqlTime(alert.first_seen),
    last_seen: sqlTime(alert.last_seen),
    band: alert.score.band,
    disposition: alert.disposition,
    status: alert.triage.status,
    namespace: alert.identity.namespace ?? '',
    workload: alert.identity.workload ?? '',
    pod: alert.identity.pod ?? '',
    image: alert.identity.image ?? '',
    partition: alert.partition,
    opening_seq: alert.opening_seq,
    updated_at: new Date(alert.updated_at).toISOString().slice(0, 23).replace('T', ' '),
    body: JSON.stringify(alert),
  };
}

/** The row an archiver would write of a judged event. */
export function eventRow(tenant: string, id: string, over: Row = {}): Row {
  return {
    tenant,
    cluster: 'c1',
    event_id: id,
    time: '2026-10-20 12:00:00.123456789',
    received_at: '2026-10-20 12:00:01.000',
    source: 'syscall',
    rule: 'Terminal shell in container',
    priority: 'Notice',
    outcome: 'opened',
    reason: 'new_fingerprint',
    alert_id: '',
    namespace: 'shop',
    workload: 'cart',
    pod: 'cart-1',
    command_line: 'mysql --password=hunter2secret',
    documents_version: 3,
    model: 'prior/1',
    judged_at: '2026-10-20 12:00:01.100',
    raw_log: 'log',
    raw_partition: 0,
    raw_offset: 7,
    raw_index: 2,
    raw: '{"output":"mysql --password=hunter2secret"}',
    ...over,
  };
}
