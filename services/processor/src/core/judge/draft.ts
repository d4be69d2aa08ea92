import {
  type Alert,
  type AlertChange,
  type AlertId,
  type Fingerprint,
  type HealthRecord,
  type Identity,
  monthOfNanos,
  type TenantId,
} from '@eyrie/schemas';
import { decodeRecord } from './codec.ts';
import type { Effect } from './effects.ts';
import type { Handle } from './handle.ts';
import { type AlertRecord, dispose } from './record.ts';
import type { CountRow, Dismissal, JudgeState, StormRow } from './state.ts';
import type { Bound, JudgeDocuments, JudgeOptions } from './types.ts';

/** An alert as a decision sees it: the state's record, or what the decision has made of it so far. */
export interface Draw {
  record: AlertRecord;
  readonly handle: Handle | undefined;
  /** True when it was closed and past joining. */
  readonly isCompact: boolean;
  before: AlertRecord | undefined;
  isWhole: boolean;
  moved: number;
}

const NO_DRAWS: readonly Draw[] = [];

/** A decision in the making: reads through what it has written, and leaves the state alone. */
export class Draft {
  readonly state: JudgeState;
  readonly documents: JudgeDocuments;
  readonly now: number;
  readonly options: JudgeOptions;
  readonly alerts: Alert[] = [];
  readonly notices: HealthRecord[] = [];
  readonly bounds: Bound[] = [];
  readonly effects: Effect[];
  more = false;
  /** Nothing is due for closing after this event: what it does to its alert is the last of this decision. */
  isQuiet = false;
  /** Closed alerts that leave for their compact form, once their last versions are in. */
  readonly leaving: Handle[] = [];
  readonly #draws: Draw[] = [];
  /** Made once a decision touches more alerts than are quickly looked through. */
  #drawsById: Map<AlertId, Draw> | undefined;
  #counts: Map<string, { tenant: string; row: CountRow }> | undefined;
  #known: Map<string, Identity> | undefined;
  #aliases: Map<Fingerprint, Fingerprint> | undefined;
  #dismissals: Map<Fingerprint, Dismissal | undefined> | undefined;
  #storms: Map<string, StormRow> | undefined;

  constructor(
    state: JudgeState,
    documents: JudgeDocuments,
    now: number,
    options: JudgeOptions,
    effects: Effect[] = [],
  ) {
    this.effects = effects;
    this.state = state;
    this.documents = documents;
    this.now = now;
    this.options = options;
  }

  /** Open and joinable alerts of a fingerprint; `handles` is the state's list where that is at hand. */
  ofFingerprint(
    fingerprint: Fingerprint,
    handles: readonly Handle[] | undefined = this.state.byFingerprint.get(fingerprint),
  ): readonly Draw[] {
    const only = handles?.[0];
    if (this.#draws.length === 0 && (handles === undefined || handles.length === 1)) {
      return only === undefined ? NO_DRAWS : [this.draw(only)];
    }
    const draws = (handles ?? []).map((handle) => this.draw(handle));
    for (const draw of this.#draws) {
      if (draw.record.alert.fingerprint === fingerprint && !draw.isCompact && !draws.includes(draw)) draws.push(draw);
    }
    return draws.filter((draw) => draw.record.alert.fingerprint === fingerprint);
  }

  /** The record as this decision has it, without taking it in. */
  look(handle: Handle): AlertRecord {
    return this.#find(handle.record.alert.alert_id)?.record ?? handle.record;
  }

  draw(handle: Handle): Draw {
    const held = this.#find(handle.record.alert.alert_id);
    if (held !== undefined) return held;
    const { record } = handle;
    return this.#keep({ record, handle, isCompact: false, before: record, isWhole: false, moved: -1 });
  }

  byId(alertId: AlertId): Draw | undefined {
    const held = this.#find(alertId);
    if (held !== undefined) return held;
    const handle = this.state.alerts.get(alertId);
    if (handle !== undefined) return this.draw(handle);
    const stored = this.state.closed.get(alertId);
    return stored === undefined ? undefined : this.#add(decodeRecord(stored.value), true, true);
  }

  /** Takes an alert into the decision that the state does not hold. */
  add(record: AlertRecord, isCompact: boolean): Draw {
    return this.#add(record, isCompact, false);
  }

  #add(record: AlertRecord, isCompact: boolean, isHeld: boolean): Draw {
    return this.#keep({
      record,
      handle: undefined,
      isCompact,
      before: isHeld ? record : undefined,
      isWhole: !isHeld,
      moved: -1,
    });
  }

  #keep(draw: Draw): Draw {
    this.#draws.push(draw);
    if (this.#drawsById !== undefined) this.#drawsById.set(draw.record.alert.alert_id, draw);
    else if (this.#draws.length > 8) {
      this.#drawsById = new Map(this.#draws.map((kept) => [kept.record.alert.alert_id, kept]));
    }
    return draw;
  }

  #find(alertId: AlertId): Draw | undefined {
    if (this.#drawsById !== undefined) return this.#drawsById.get(alertId);
    for (const draw of this.#draws) if (draw.record.alert.alert_id === alertId) return draw;
    return undefined;
  }

  /** Replaces the record and writes a version of the alert. */
  publish(draw: Draw, record: AlertRecord, change: AlertChange): void {
    this.replace(draw, this.#version(record, change));
  }

  /** Writes a version of an alert that only grew: its counters and the target at `moved`. */
  publishGrowth(draw: Draw, record: AlertRecord, change: AlertChange, moved: number): void {
    this.replaceCounters(draw, this.#version(record, change), moved);
  }

  #version(record: AlertRecord, change: AlertChange): AlertRecord {
    const alert: Alert = {
      ...record.alert,
      version: record.alert.version + 1,
      change,
      documents_version: this.documents.version,
      updated_at: this.now,
    };
    this.alerts.push(alert);
    return { ...record, alert, writtenCount: alert.count };
  }

  /** Replaces the record without a version. */
  replace(draw: Draw, record: AlertRecord): void {
    this.#moveColumn(draw.record.alert, record.alert);
    draw.record = record;
    draw.isWhole = true;
  }

  /** Only counters and the target at `moved` changed. */
  replaceCounters(draw: Draw, record: AlertRecord, moved: number): void {
    draw.record = record;
    draw.moved = moved;
  }

  /** The record with its disposition derived anew. */
  dispose(record: AlertRecord): AlertRecord {
    const alert = dispose(record.alert, record.hidden);
    return alert === record.alert ? record : { ...record, alert };
  }

  /** Counts an opening; gives its number in the tenant. */
  countOpening(tenant: TenantId, alert: Pick<Alert, 'opened_at' | 'disposition'>): number {
    const seq = (this.state.sequences.get(tenant) ?? 0) + 1;
    const key = countKey(tenant, alert);
    const row = this.#count(key);
    const isHidden = alert.disposition === 'suppressed';
    this.#setCount(key, tenant, {
      opened: row.opened + 1,
      shown: row.shown + (isHidden ? 0 : 1),
      suppressed: row.suppressed + (isHidden ? 1 : 0),
      last_seq: seq,
    });
    return seq;
  }

  #moveColumn(before: Alert, after: Alert): void {
    const was = before.disposition === 'suppressed';
    const is = after.disposition === 'suppressed';
    if (was === is) return;
    const key = countKey(after.tenant, after);
    // An alert taken up from the store may be older than what this state has counted.
    if (this.#counts?.has(key) !== true && !this.state.counts.has(key)) return;
    const row = this.#count(key);
    const by = is ? 1 : -1;
    this.#setCount(key, after.tenant, { ...row, shown: row.shown - by, suppressed: row.suppressed + by });
  }

  #count(key: string): CountRow {
    return (
      this.#counts?.get(key)?.row ?? this.state.counts.get(key) ?? { opened: 0, shown: 0, suppressed: 0, last_seq: 0 }
    );
  }

  #setCount(key: string, tenant: string, row: CountRow): void {
    this.#counts ??= new Map();
    this.#counts.set(key, { tenant, row });
  }

  known(entity: string): Identity | undefined {
    return this.#known?.get(entity) ?? this.state.known.get(entity);
  }

  setKnown(entity: string, identity: Identity): void {
    this.#known ??= new Map();
    this.#known.set(entity, identity);
  }

  /** Follows aliases to the fingerprint that holds now. */
  resolve(fingerprint: Fingerprint): Fingerprint {
    if (this.state.aliases.size === 0 && this.#aliases === undefined) return fingerprint;
    let current = fingerprint;
    // An owner, then a container's name: more than a few steps cannot be, and a circle must end.
    for (let step = 0; step < 8; step += 1) {
      const next = this.#aliases?.get(current) ?? this.state.aliases.get(current);
      if (next === undefined || next === fingerprint) break;
      current = next;
    }
    return current;
  }

  setAlias(from: Fingerprint, to: Fingerprint): void {
    this.#aliases ??= new Map();
    this.#aliases.set(from, to);
  }

  /** The dismissal that holds for a fingerprint now. */
  dismissal(fingerprint: Fingerprint): Dismissal | undefined {
    const held = this.#dismissals?.has(fingerprint)
      ? this.#dismissals.get(fingerprint)
      : this.state.dismissals.get(fingerprint);
    return held !== undefined && held.until > this.now ? held : undefined;
  }

  setDismissal(fingerprint: Fingerprint, value: Dismissal | undefined): void {
    this.#dismissals ??= new Map();
    this.#dismissals.set(fingerprint, value);
  }

  storm(key: string): StormRow | undefined {
    return this.#storms?.get(key) ?? this.state.storms.get(key);
  }

  setStorm(key: string, row: StormRow): void {
    this.#storms ??= new Map();
    this.#storms.set(key, row);
  }

  finish(): readonly Effect[] {
    const { effects } = this;
    for (const { handle, record, before, isCompact, isWhole, moved } of this.#draws) {
      if (record === before) continue;
      if (isCompact) effects.push({ kind: 'closed', before, record });
      else effects.push({ kind: 'record', handle, record, isWhole, moved });
    }
    for (const handle of this.leaving) effects.push({ kind: 'compact', handle });
    if (this.#counts !== undefined)
      for (const [key, { tenant, row }] of this.#counts) effects.push({ kind: 'count', key, tenant, row });
    for (const [entity, identity] of this.#known ?? []) effects.push({ kind: 'known', entity, identity });
    for (const [from, to] of this.#aliases ?? []) effects.push({ kind: 'alias', from, to });
    for (const [fingerprint, value] of this.#dismissals ?? []) effects.push({ kind: 'dismissal', fingerprint, value });
    for (const [key, row] of this.#storms ?? []) effects.push({ kind: 'storm', key, row });
    return effects;
  }
}

function countKey(tenant: TenantId, alert: Pick<Alert, 'opened_at'>): string {
  return `count/${tenant}/${monthOfNanos(alert.opened_at)}`;
}

/** Orders alerts by opening, ties by id. */
export function byAge(a: Draw, b: Draw): number {
  const left = a.record.alert;
  const right = b.record.alert;
  if (left.opened_at !== right.opened_at) return left.opened_at < right.opened_at ? -1 : 1;
  return left.alert_id < right.alert_id ? -1 : 1;
}
