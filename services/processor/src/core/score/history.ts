import { hash } from 'node:crypto';
import { type Event, FORMATS, type Identity } from '@eyrie/schemas';
import { NewerFormat } from '../judge/newer-format.ts';
import { complete, pieces } from '../judge/pieces.ts';
import { type Keys, keysOf } from './keys.ts';
import { Texts } from './texts.ts';

/** A rule, or a rule at a workload: how many distinct hours saw it. */
export interface SeenRow {
  last: number;
  hours: number;
  /** Hours with user 0, and with another user. */
  root: number;
  other: number;
}

/** A rule at a workload by one process. */
export interface ProcessRow extends SeenRow {
  first: number;
  /** Hours, days, pods that count as evidence of harmlessness: not those at review or above. */
  benignLast: number;
  benign: number;
  day: number;
  days: number;
  pods: string[];
  /** Pods that did it within two minutes of their start. */
  starts: string[];
  digest: string;
}

/** Where people open shells: distinct days with one. */
interface PlaceRow {
  last: number;
  day: number;
  days: number;
}

/** What a tenant's history weighs: distinct hours with events, and distinct (process, hour). */
export interface TenantRow {
  last: number;
  hours: number;
  groups: number;
}

export interface Rows {
  rule: SeenRow;
  workload: SeenRow;
  process: ProcessRow;
  place: PlaceRow;
  tenant: TenantRow;
}
export type RowKind = keyof Rows;

/** Rows of a tenant. An evicted row is forgotten, so what it knew is new again: the table forgets toward alarm. */
const ROWS_MAX: Readonly<Record<RowKind, number>> = {
  rule: 2_000,
  workload: 20_000,
  process: 20_000,
  place: 2_000,
  tenant: 1,
};
const KINDS = Object.keys(ROWS_MAX) as readonly RowKind[];
const TENANT_KEY = '';
const PREFIX = 'history/';

export class TenantHistory {
  readonly name: string;
  readonly tables: { readonly [K in RowKind]: Map<string, Rows[K]> } = {
    rule: new Map(),
    workload: new Map(),
    process: new Map(),
    place: new Map(),
    tenant: new Map(),
  };
  /** Keys of rows to write with the next step. */
  readonly dirty: { readonly [K in RowKind]: Set<string> } = {
    rule: new Set(),
    workload: new Set(),
    process: new Set(),
    place: new Set(),
    tenant: new Set(),
  };

  constructor(name: string) {
    this.name = name;
  }

  get<K extends RowKind>(kind: K, key: string): Rows[K] | undefined {
    return this.tables[kind].get(key);
  }

  get tenant(): TenantRow | undefined {
    return this.tables.tenant.get(TENANT_KEY);
  }
}

/** The exact, bounded tables of one partition, tenant by tenant. One owner changes them, through `learn` alone. */
export class ScoreHistory {
  readonly #tenants = new Map<string, TenantHistory>();
  readonly #dirty = new Set<TenantHistory>();
  readonly #rowsMax: Readonly<Record<RowKind, number>>;
  readonly texts = new Texts();
  #evicted = 0;
  #keys: { readonly event: Event; readonly identity: Identity; readonly keys: Keys } | undefined;

  constructor(rowsMax: Partial<Record<RowKind, number>> = {}) {
    this.#rowsMax = { ...ROWS_MAX, ...rowsMax };
  }

  /** Names of the rows an event touches: asked twice for each event, to score and to learn. */
  keysOf(event: Event, identity: Identity): Keys {
    const held = this.#keys;
    if (held !== undefined && held.event === event && held.identity === identity) return held.keys;
    const keys = keysOf(event, identity, this.texts);
    this.#keys = { event, identity, keys };
    return keys;
  }

  of(tenant: string): TenantHistory | undefined {
    return this.#tenants.get(tenant);
  }

  open(tenant: string): TenantHistory {
    let held = this.#tenants.get(tenant);
    if (held === undefined) {
      held = new TenantHistory(tenant);
      this.#tenants.set(tenant, held);
    }
    return held;
  }

  /** Puts a row at the young end of its table; the oldest leaves a full one. */
  put<K extends RowKind>(tenant: TenantHistory, kind: K, key: string, row: Rows[K]): void {
    this.restore(tenant, kind, key, row);
    this.mark(tenant, kind, key);
  }

  /** The same for a row that stands in the changelog as it is: there is nothing to write, but for what leaves. */
  restore<K extends RowKind>(tenant: TenantHistory, kind: K, key: string, row: Rows[K]): void {
    const table: Map<string, Rows[K]> = tenant.tables[kind];
    table.delete(key);
    table.set(key, row);
    if (table.size <= this.#rowsMax[kind]) return;
    const oldest = table.keys().next().value;
    if (oldest === undefined) return;
    // Whoever still holds the row must not take it for what is known.
    const forgotten = table.get(oldest);
    if (forgotten !== undefined) forgotten.last = -1;
    table.delete(oldest);
    this.#evicted += 1;
    this.mark(tenant, kind, oldest);
  }

  putTenant(tenant: TenantHistory, row: TenantRow): void {
    this.put(tenant, 'tenant', TENANT_KEY, row);
  }

  mark(tenant: TenantHistory, kind: RowKind, key: string): void {
    tenant.dirty[kind].add(key);
    this.#dirty.add(tenant);
  }

  /** Rows evicted since the last call, for `eyrie_bound_reached_total{bound="score_history"}`. */
  takeEvicted(): number {
    const evicted = this.#evicted;
    this.#evicted = 0;
    return evicted;
  }

  /** What changed since the last call, as entries of the changelog `history/<tenant>/<kind>/<hash>`; null removes one. */
  takeChanges(): (readonly [key: string, value: Buffer | null])[] {
    const changes: (readonly [string, Buffer | null])[] = [];
    for (const tenant of this.#dirty) {
      for (const kind of KINDS) {
        for (const key of tenant.dirty[kind]) changes.push(entryOf(tenant, kind, key));
        tenant.dirty[kind].clear();
      }
    }
    this.#dirty.clear();
    return changes;
  }
}

function entryOf(tenant: TenantHistory, kind: RowKind, key: string): readonly [string, Buffer | null] {
  const held = tenant.get(kind, key);
  // Texts of attackers are part of a name: hashed, it has one length.
  const name = `${PREFIX}${tenant.name}/${kind}/${hash('sha256', key, 'hex').slice(0, 32)}`;
  const value = held === undefined ? null : JSON.stringify({ f: FORMATS.alertState, key, row: held });
  return [name, value === null ? null : Buffer.from(value)];
}

/** The history a partition's changelog describes; `onUnreadable` is told what is none of it. @throws NewerFormat */
export function restoreHistory(...args: Parameters<typeof restoringHistory>): ScoreHistory {
  return complete(restoringHistory(...args));
}

/** The same in pieces. */
export function* restoringHistory(
  entries: Iterable<readonly [string, Buffer]>,
  onUnreadable: (name: string) => void,
): Generator<undefined, ScoreHistory> {
  const history = new ScoreHistory();
  const rows: { readonly tenant: string; readonly kind: RowKind; readonly key: string; readonly row: Rows[RowKind] }[] =
    [];
  const piece = pieces();
  for (const [name, value] of entries) {
    if (piece()) yield;
    const [, tenant = '', kind = ''] = name.split('/');
    const held = readEntry(value);
    if (held !== undefined && held.f > FORMATS.alertState)
      throw new NewerFormat(`score history has format ${held.f}, newer than ${FORMATS.alertState}`);
    if (held === undefined || !isKind(kind)) onUnreadable(name);
    else rows.push({ tenant, kind, key: held.key, row: held.row });
  }
  // The changelog is ordered by name, the tables by age.
  rows.sort((a, b) => a.row.last - b.row.last);
  for (const { tenant, kind, key, row } of rows) {
    if (piece()) yield;
    history.restore(history.open(tenant), kind, key, row as never);
  }
  return history;
}

interface HistoryEntry {
  readonly f: number;
  readonly key: string;
  readonly row: Rows[RowKind];
}

/** Undefined where it is none. */
function readEntry(value: Buffer): HistoryEntry | undefined {
  try {
    const { f, key, row } = JSON.parse(value.toString()) as HistoryEntry;
    return typeof f === 'number' && (f > FORMATS.alertState || typeof row.last === 'number')
      ? { f, key, row }
      : undefined;
  } catch {
    return undefined;
  }
}

function isKind(text: string): text is RowKind {
  return (KINDS as readonly string[]).includes(text);
}
