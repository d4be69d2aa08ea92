import { type AlertId, type Fingerprint, FORMATS, type Identity } from '@eyrie/schemas';
import {
  applyAdded,
  applyCounters,
  checkFormat,
  decodeRecord,
  encodeAdded,
  encodeCounters,
  encodeRecord,
  growthOf,
} from './codec.ts';
import { leavesAt } from './due.ts';
import { addAsleep, addRecord, storeClosed } from './evolve.ts';
import type { Asleep } from './handle.ts';
import { headOf } from './head.ts';
import { NewerFormat } from './newer-format.ts';
import { complete, pieces } from './pieces.ts';
import type { AlertRecord } from './record.ts';
import { isBlock } from './seen.ts';
import {
  type ClockRow,
  type CountRow,
  type Dismissal,
  isOpen,
  JudgeState,
  type RawRow,
  type StormRow,
} from './state.ts';
import type { JudgeOptions } from './types.ts';

/**
 * What changed since the last call, as entries of the changelog; null removes a key.
 *
 *     a/<alert_id>   a whole record          n/<alert_id>  counters that moved since
 *     t/<alert_id>   targets and samples added since
 *     seen/<block>   ids seen                raw/<log>/<partition>  highest raw position
 *     clock · known/<entity> · alias/<fingerprint> · dismissal/<fingerprint> · storm/<tenant>/<rule>
 *     count/<tenant>/<month>  {opened, shown, suppressed, last_seq}
 */
export function takeChanges(state: JudgeState): (readonly [key: string, value: Buffer | null])[] {
  const changes: (readonly [string, Buffer | null])[] = [];
  for (const handle of state.dirtyHandles) {
    const { alert_id } = handle.record.alert;
    if (handle.dirty === 'counters') {
      changes.push([`n/${alert_id}`, encodeCounters(handle.record, handle.moved)]);
      handle.hasCounters = true;
      if (handle.isWider) {
        changes.push([`t/${alert_id}`, encodeAdded(handle.record, handle)]);
        handle.hasAdded = true;
      }
    } else if (handle.dirty === 'all') {
      changes.push([`a/${alert_id}`, encodeRecord(handle.record)]);
      if (handle.hasCounters) changes.push([`n/${alert_id}`, null]);
      if (handle.hasAdded) changes.push([`t/${alert_id}`, null]);
      handle.hasCounters = false;
      handle.hasAdded = false;
      handle.moved.clear();
      handle.wholeTargets = handle.record.alert.targets.length;
      handle.wholeSamples = handle.record.alert.samples.length;
    }
    handle.dirty = 'no';
    handle.isWider = false;
  }
  state.dirtyHandles.length = 0;
  for (const raw of state.raw) {
    if (!raw.isDirty) continue;
    raw.isDirty = false;
    changes.push([`raw/${raw.log}/${raw.partition}`, row({ offset: raw.offset, index: raw.index })]);
  }
  for (const key of state.dirtyKeys) changes.push([key, entryOf(state, key)]);
  state.dirtyKeys.clear();
  for (const [block, value] of state.seen.takeChanges())
    changes.push([`seen/${String(block).padStart(12, '0')}`, value]);
  return changes;
}

/**
 * The state a partition's changelog describes. An entry nobody of ours wrote is left out and told: others can write to a
 * topic, and one record must not keep a partition from its owner. @throws NewerFormat
 */
export function restoreState(...args: Parameters<typeof restoringState>): JudgeState {
  return complete(restoringState(...args));
}

/** The same in pieces: a partition with a hundred thousand windows takes seconds, in which others must have their turn. */
export function* restoringState(
  partition: number,
  entries: Iterable<readonly [string, Buffer]>,
  options: JudgeOptions,
  onUnreadable: (key: string) => void,
): Generator<undefined, JudgeState> {
  const state = new JudgeState(partition);
  const stored: (readonly [name: string, value: Buffer])[] = [];
  const counters = new Map<string, Buffer>();
  const added = new Map<string, Buffer>();
  const blocks: [number, Buffer][] = [];
  const piece = pieces();
  for (const [key, value] of entries) {
    if (piece()) yield;
    const slash = key.indexOf('/');
    const kind = slash < 0 ? key : key.slice(0, slash);
    const name = key.slice(slash + 1);
    readOr(key, onUnreadable, () => {
      if (kind === 'a') stored.push([name, value]);
      else if (kind === 'n') counters.set(name, value);
      else if (kind === 't') added.set(name, value);
      else if (kind === 'seen') blocks.push([blockNumber(name, value), value]);
      else restoreRow(state, kind, name, value);
    });
  }
  state.idleFrom = state.clock;
  state.seen.restore(blocks.sort(([a], [b]) => a - b));
  const old: AlertRecord[] = [];
  for (const [name, whole] of stored) {
    if (piece()) yield;
    const value = counters.get(name);
    const more = added.get(name);
    if (more === undefined && takeAsleep(state, name as AlertId, { whole, counters: value }, options)) continue;
    const record = readOr(`a/${name}`, onUnreadable, () => recordOf(name, whole));
    if (record === undefined) continue;
    const moved = new Set<number>();
    let current = record;
    if (more !== undefined) {
      readOr(`t/${record.alert.alert_id}`, onUnreadable, () => {
        current = applyAdded(current, more);
      });
    }
    if (value !== undefined) {
      readOr(`n/${record.alert.alert_id}`, onUnreadable, () => {
        current = applyCounters(current, value, moved);
      });
    }
    const isWritten = current.alert.count === current.writtenCount;
    if (!isOpen(current.alert) && isWritten && leavesAt(current, options.windowMs) <= state.clock.intake) {
      old.push(current);
      continue;
    }
    const handle = addRecord(state, current, options);
    handle.dirty = 'no';
    handle.moved = moved;
    handle.wholeTargets = record.alert.targets.length;
    handle.wholeSamples = record.alert.samples.length;
    handle.isWider = false;
    handle.hasCounters = value !== undefined;
    handle.hasAdded = more !== undefined;
  }
  old.sort((a, b) => a.lastIntake - b.lastIntake);
  for (const record of old) storeClosed(state, record, options);
  state.dirtyHandles.length = 0;
  state.dirtyKeys.clear();
  for (const { alert } of old) {
    if (!counters.has(alert.alert_id)) continue;
    // From here on it is written whole: counters left behind would be taken for newer ones.
    state.dirtyKeys.add(`a/${alert.alert_id}`);
    state.dirtyKeys.add(`n/${alert.alert_id}`);
    if (added.has(alert.alert_id)) state.dirtyKeys.add(`t/${alert.alert_id}`);
  }
  return state;
}

function entryOf(state: JudgeState, key: string): Buffer | null {
  if (key === 'clock') return row(state.clock);
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  switch (key.slice(0, slash)) {
    case 'a':
      return state.closed.get(name as AlertId)?.value ?? null;
    case 'known':
      return row(state.known.get(name));
    case 'alias':
      return row(state.aliases.get(name as Fingerprint));
    case 'dismissal':
      return row(state.dismissals.get(name as Fingerprint));
    case 'storm':
      return row(state.storms.get(name));
    case 'count': {
      // Read by others too, so without a wrapper.
      const held = state.counts.get(key);
      return held === undefined ? null : Buffer.from(JSON.stringify(held));
    }
    default:
      return null;
  }
}

function row(value: unknown): Buffer | null {
  return value === undefined ? null : Buffer.from(JSON.stringify({ f: FORMATS.alertState, row: value }));
}

/** True when its head says enough. Whatever is odd about it is left to be read whole. */
function takeAsleep(state: JudgeState, alertId: AlertId, asleep: Asleep, options: JudgeOptions): boolean {
  const head = headOf(alertId, asleep.whole);
  if (head === undefined) return false;
  try {
    const growth = asleep.counters === undefined ? head : growthOf(asleep.counters);
    if (![growth.count, growth.writtenCount, growth.updatedAt].every(Number.isSafeInteger)) return false;
    addAsleep(state, alertId, { ...head, ...growth }, asleep, options);
    return true;
  } catch {
    return false;
  }
}

function readOr<T>(key: string, onUnreadable: (key: string) => void, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NewerFormat) throw error;
    onUnreadable(key);
    return undefined;
  }
}

function recordOf(alertId: string, value: Buffer): AlertRecord {
  const record = decodeRecord(value);
  if (record.alert.alert_id !== alertId) throw new TypeError('the record of another alert');
  return record;
}

function blockNumber(name: string, value: Buffer): number {
  if (!/^\d{1,15}$/.test(name) || !isBlock(value)) throw new TypeError('no block of seen ids');
  return Number(name);
}

const ROWS: ReadonlySet<string> = new Set(['clock', 'raw', 'known', 'alias', 'dismissal', 'storm']);

function restoreRow(state: JudgeState, kind: string, name: string, value: Buffer): void {
  const parsed: unknown = JSON.parse(value.toString());
  if (kind === 'count') {
    const held = parsed as CountRow;
    if (!Number.isSafeInteger(held.last_seq)) throw new TypeError('no count');
    const tenant = name.slice(0, name.indexOf('/'));
    state.counts.set(`count/${name}`, held);
    state.sequences.set(tenant, Math.max(state.sequences.get(tenant) ?? 0, held.last_seq));
    return;
  }
  const { f, row: held } = parsed as { f: number; row: unknown };
  checkFormat(f);
  if (!ROWS.has(kind) || held === undefined || held === null) throw new TypeError('no row of the judge');
  if (kind === 'clock') state.clock = held as ClockRow;
  else if (kind === 'raw') {
    const slash = name.lastIndexOf('/');
    const position = held as Pick<RawRow, 'offset' | 'index'>;
    state.raw.push({
      log: name.slice(0, slash),
      partition: Number(name.slice(slash + 1)),
      ...position,
      isDirty: false,
    });
  } else if (kind === 'known') state.known.set(name, held as Identity);
  else if (kind === 'alias') state.aliases.set(name as Fingerprint, held as Fingerprint);
  else if (kind === 'dismissal') state.dismissals.set(name as Fingerprint, held as Dismissal);
  else if (kind === 'storm') state.storms.set(name, held as StormRow);
}
