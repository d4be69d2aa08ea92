import { type ActionRecord, type Alert, type DocumentRecord, type HealthRecord, visitJudged } from '@eyrie/schemas';
import type { TableName } from './tables.ts';
import type { Taken } from './take.ts';

/** What makes a row the same row, whatever log it came through. */
export interface RowName {
  readonly table: NamedTable;
  readonly tenant: string;
  /** What its table finds it by … */
  readonly id: string;
  /** … and the rest of its name. */
  readonly rest: string;
  /** Nanoseconds, where the table is sorted by time. */
  readonly time?: string;
}

/** Tables whose rows have a name. Dead letters keep their key through any log, and the engine makes them one. */
export type NamedTable = Extract<
  TableName,
  'events' | 'alert_versions' | 'action_versions' | 'documents' | 'health_records'
>;

/** Rows of one partition that are stored already; the names come with each portion of records. */
export class StoredRows {
  #names = new Set<string>();
  /** Counts of repeats have no name: those of a record go with its events, and else with the record before it. */
  #wasStored = false;
  #skipped = new Map<NamedTable, number>();

  know(names: ReadonlySet<string>): void {
    this.#names = new Set(names);
  }

  has(name: RowName): boolean {
    if (!this.#names.has(keyOf(name))) return false;
    this.#skipped.set(name.table, (this.#skipped.get(name.table) ?? 0) + 1);
    return true;
  }

  /** How many rows were found stored since the last call. */
  takeSkipped(): ReadonlyMap<NamedTable, number> {
    const skipped = this.#skipped;
    this.#skipped = new Map();
    return skipped;
  }

  /** Whether the counts of a record with so many rows of events, so many of them stored, are stored too. */
  hasCounts(rows: number, stored: number): boolean {
    if (rows > 0) this.#wasStored = rows === stored;
    return this.#wasStored;
  }
}

export function keyOf({ table, tenant, id, rest }: Omit<RowName, 'time'>): string {
  return [table, tenant, id, rest].join('\u0000');
}

export const nameEvent = (event: { tenant: string; event_id: string; time: string }): RowName => ({
  table: 'events',
  tenant: event.tenant,
  id: event.event_id,
  rest: '',
  time: event.time,
});

export const nameAlert = ({ tenant, alert_id, version }: Alert): RowName => ({
  table: 'alert_versions',
  tenant,
  id: alert_id,
  rest: String(version),
});

export const nameAction = ({ tenant, intent_key, version }: ActionRecord): RowName => ({
  table: 'action_versions',
  tenant,
  id: intent_key,
  rest: String(version),
});

export const nameDocument = ({ tenant, kind, id, version }: DocumentRecord): RowName => ({
  table: 'documents',
  tenant,
  id,
  rest: `${kind}/${version}`,
});

/** Undefined for one with a raw position: that is its key, and the engine makes it one. */
export function nameHealth(record: HealthRecord): RowName | undefined {
  if (record.raw_pos !== undefined) return undefined;
  const { tenant, cluster, kind, node = '', code = '', received_at, count = 0, time } = record;
  const rest = [cluster, kind, node, code, received_at, count].join('/');
  return { table: 'health_records', tenant, id: time, rest };
}

/** Names of the rows a record makes; none for a record that cannot be read. */
export function nameRows(record: Taken): readonly RowName[] {
  try {
    return namesIn(record);
  } catch {
    return [];
  }
}

function namesIn(record: Taken): readonly RowName[] {
  const parse = <T>() => JSON.parse(record.value.toString('utf8')) as T;
  switch (record.topic) {
    case 'judged': {
      const names: RowName[] = [];
      visitJudged(record, ({ judgement, event }) => {
        if (event.heartbeat !== true && judgement.outcome !== 'duplicate') names.push(nameEvent(event));
      });
      return names;
    }
    case 'alerts':
      return [nameAlert((record.made as Alert | undefined) ?? parse<Alert>())];
    case 'actions':
      return [nameAction(parse<ActionRecord>())];
    case 'documents':
      return record.value.length === 0 ? [] : [nameDocument(parse<DocumentRecord>())];
    case 'health': {
      const name = nameHealth(parse<HealthRecord>());
      return name === undefined ? [] : [name];
    }
    default:
      return [];
  }
}
