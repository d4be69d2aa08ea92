import { type Alert, type AlertId, type Fingerprint, msOfNanos, type Target } from '@eyrie/schemas';
import { decodeRecord, encodeRecord } from './codec.ts';
import { leavesAt, updatesAt } from './due.ts';
import type { Effect } from './effects.ts';
import { type Asleep, Handle } from './handle.ts';
import type { Head } from './head.ts';
import { addMs } from './moments.ts';
import { closesAt } from './opening.ts';
import type { AlertRecord } from './record.ts';
import { isOpen, type JudgeState } from './state.ts';
import { countOn } from './targets.ts';
import type { Bound, Decision, JudgeOptions } from './types.ts';

/** Makes a decision so. Gives the bounds of the state that were reached. */
export function evolve(state: JudgeState, decision: Decision, options: JudgeOptions): readonly Bound[] {
  let isMoved = false;
  for (const effect of decision.effects) {
    apply(state, effect, options);
    if (effect.kind === 'record' || effect.kind === 'compact') isMoved = true;
  }
  // Growth makes nothing due earlier: what it leaves in the queues is looked at when it is due.
  if (isMoved) tidy(state, options);
  if (state.bounds.length === 0) return NONE;
  return state.bounds.splice(0);
}

const NONE: readonly Bound[] = [];

function apply(state: JudgeState, effect: Effect, options: JudgeOptions): void {
  switch (effect.kind) {
    case 'record':
      if (effect.handle === undefined) addRecord(state, effect.record, options);
      else replaceRecord(state, effect.handle, effect.record, effect, options);
      return;
    case 'closed': {
      const { record, before } = effect;
      if (before !== undefined) state.removeWaiting(before);
      storeClosed(state, record, options);
      return;
    }
    case 'compact':
      compact(state, effect.handle, options);
      return;
    case 'forget':
      forget(state, effect.alertId);
      return;
    case 'seen':
      if (state.seen.add(effect.id, effect.intake, options)) state.bounds.push('judge_seen');
      return;
    case 'raw':
      takeRaw(state, effect);
      return;
    case 'grow':
      grow(state, effect, options);
      return;
    case 'clock':
      if (effect.row !== state.clock) {
        state.clock = effect.row;
        state.dirtyKeys.add('clock');
      }
      if (effect.inputAt !== undefined) {
        state.lastInputAt = effect.inputAt;
        state.idleFrom = effect.row;
      }
      return;
    case 'count':
      state.counts.set(effect.key, effect.row);
      state.sequences.set(effect.tenant, Math.max(state.sequences.get(effect.tenant) ?? 0, effect.row.last_seq));
      state.dirtyKeys.add(effect.key);
      return;
    case 'known':
      state.knownEpoch += 1;
      bounded(state, state.known, 'known/', effect.entity, effect.identity, options.entitiesMax);
      return;
    case 'alias':
      bounded(state, state.aliases, 'alias/', effect.from, effect.to, options.entitiesMax);
      return;
    case 'dismissal':
      if (effect.value === undefined) state.dismissals.delete(effect.fingerprint);
      else bounded(state, state.dismissals, 'dismissal/', effect.fingerprint, effect.value, options.entitiesMax);
      state.dirtyKeys.add(`dismissal/${effect.fingerprint}`);
      return;
    case 'storm':
      bounded(state, state.storms, 'storm/', effect.key, effect.row, STORMS_MAX);
      return;
    default:
      assertNever(effect);
  }
}

const STORMS_MAX = 10_000;
/** More moved targets than this are written as part of the whole record. */
const MOVED_MAX = 16;

function takeRaw(state: JudgeState, { log, partition, offset, index }: Extract<Effect, { kind: 'raw' }>): void {
  const row = state.rawRow(log, partition);
  if (row === undefined) {
    state.raw.push({ log, partition, offset, index, isDirty: true });
    return;
  }
  row.offset = offset;
  row.index = index;
  row.isDirty = true;
}

/** The one change in place: a record of its own is made once, then counters move in it. */
function grow(
  state: JudgeState,
  { handle, at, time, intake }: Extract<Effect, { kind: 'grow' }>,
  options: JudgeOptions,
): void {
  if (handle.isShared) {
    const { record } = handle;
    handle.record = { ...record, alert: { ...record.alert, targets: record.alert.targets.slice() } };
    handle.isShared = false;
  }
  const record = handle.record as Writable<AlertRecord>;
  const alert = record.alert as Writable<Alert>;
  alert.count += 1;
  if (time < alert.first_seen) alert.first_seen = time;
  if (time > alert.last_seen) alert.last_seen = time;
  if (intake > record.lastIntake) record.lastIntake = intake;
  const targets = alert.targets as Target[];
  const target = targets[at];
  if (target === undefined) alert.targets_more += 1;
  else {
    targets[at] = countOn(target, time);
    handle.moved.add(at);
  }
  mark(state, handle, handle.moved.size > MOVED_MAX ? 'all' : 'counters');
  queueUpdate(state, handle, options);
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export function addRecord(state: JudgeState, record: AlertRecord, options: JudgeOptions): Handle {
  const { alert } = record;
  const handle = new Handle({ record });
  state.alerts.set(alert.alert_id, handle);
  index(state, handle, alert.fingerprint);
  state.addWaiting(record);
  if (isOpen(alert)) {
    state.openCount += 1;
    state.closings.push(msOfNanos(closesAt(record, options.graceMs)), alert.alert_id, handle);
    if (record.hidden.silences !== undefined) state.silenced.add(alert.alert_id);
  } else state.leavings.push(leavesAt(record, options.windowMs), alert.alert_id, handle);
  mark(state, handle, 'all');
  queueUpdate(state, handle, options);
  return handle;
}

/** An open alert of the changelog, known by its head alone. */
export function addAsleep(
  state: JudgeState,
  alertId: AlertId,
  head: Head,
  asleep: Asleep,
  options: JudgeOptions,
): void {
  const handle = new Handle({ asleep });
  state.alerts.set(alertId, handle);
  index(state, handle, head.fingerprint);
  state.openCount += 1;
  state.closings.push(msOfNanos(addMs(head.end, options.graceMs)), alertId, handle);
  if (head.count === head.writtenCount) return;
  handle.isQueued = true;
  state.updates.push(head.updatedAt + options.intervalMs, alertId, handle);
}

function replaceRecord(
  state: JudgeState,
  handle: Handle,
  record: AlertRecord,
  { isWhole, moved }: { isWhole: boolean; moved: number },
  options: JudgeOptions,
): void {
  const before = handle.record;
  const { alert } = record;
  handle.isShared = true;
  if (!isWhole) {
    handle.record = record;
    if (moved >= 0) handle.moved.add(moved);
    if (alert.targets.length > before.alert.targets.length) handle.isWider = true;
    mark(state, handle, handle.moved.size > MOVED_MAX ? 'all' : 'counters');
    queueUpdate(state, handle, options);
    return;
  }
  const isMoved = before.alert.fingerprint !== alert.fingerprint;
  if (isMoved) unindex(state, handle);
  if (before.waiting !== record.waiting) state.removeWaiting(before);
  handle.record = record;
  if (isMoved) index(state, handle, alert.fingerprint);
  if (before.waiting !== record.waiting) state.addWaiting(record);
  if (isOpen(before.alert) && !isOpen(alert)) {
    state.openCount -= 1;
    state.leavings.push(leavesAt(record, options.windowMs), alert.alert_id, handle);
  }
  if (record.hidden.silences === undefined || !isOpen(alert)) state.silenced.delete(alert.alert_id);
  mark(state, handle, 'all');
  queueUpdate(state, handle, options);
}

function queueUpdate(state: JudgeState, handle: Handle, options: JudgeOptions): void {
  const { record } = handle;
  if (handle.isQueued || record.alert.count === record.writtenCount) return;
  handle.isQueued = true;
  state.updates.push(updatesAt(record, options.intervalMs), record.alert.alert_id, handle);
}

function mark(state: JudgeState, handle: Handle, dirty: 'counters' | 'all'): void {
  if (handle.dirty === 'no') state.dirtyHandles.push(handle);
  if (handle.dirty !== 'all') handle.dirty = dirty;
}

function index(state: JudgeState, handle: Handle, fingerprint: Fingerprint): void {
  const list = state.byFingerprint.get(fingerprint);
  if (list === undefined) state.byFingerprint.set(fingerprint, [handle]);
  else list.push(handle);
}

function unindex(state: JudgeState, handle: Handle): void {
  const { fingerprint } = handle.record.alert;
  const list = state.byFingerprint.get(fingerprint) ?? [];
  const at = list.indexOf(handle);
  if (at >= 0) list.splice(at, 1);
  if (list.length === 0) state.byFingerprint.delete(fingerprint);
}

function compact(state: JudgeState, handle: Handle, options: JudgeOptions): void {
  const { record } = handle;
  unindex(state, handle);
  state.alerts.delete(record.alert.alert_id);
  state.removeWaiting(record);
  if (handle.hasCounters) state.dirtyKeys.add(`n/${record.alert.alert_id}`);
  if (handle.hasAdded) state.dirtyKeys.add(`t/${record.alert.alert_id}`);
  handle.dirty = 'no';
  storeClosed(state, record, options);
}

export function storeClosed(state: JudgeState, record: AlertRecord, options: JudgeOptions): void {
  const { alert_id } = record.alert;
  const at = leavesAt(record, options.windowMs);
  state.closed.set(alert_id, { at, value: encodeRecord(record), isWaiting: record.waiting !== undefined });
  state.addWaiting(record);
  state.dirtyKeys.add(`a/${alert_id}`);
}

function forget(state: JudgeState, alertId: Parameters<JudgeState['closed']['get']>[0]): void {
  const stored = state.closed.get(alertId);
  if (stored?.isWaiting === true) state.removeWaiting(decodeRecord(stored.value));
  state.closed.delete(alertId);
  state.dirtyKeys.add(`a/${alertId}`);
}

function bounded<K extends string, V>(
  state: JudgeState,
  map: Map<K, V>,
  prefix: string,
  key: K,
  value: V,
  max: number,
): void {
  map.set(key, value);
  state.dirtyKeys.add(prefix + key);
  if (map.size <= max) return;
  const oldest = map.keys().next().value;
  if (oldest === undefined) return;
  state.bounds.push('judge_entities');
  map.delete(oldest);
  state.dirtyKeys.add(prefix + oldest);
}

/** Takes from the queues what is no longer due, or due later than it was. */
function tidy(state: JudgeState, options: JudgeOptions): void {
  for (
    let top = state.closings.first();
    top !== undefined && !isOpen(top.item.record.alert);
    top = state.closings.first()
  ) {
    state.closings.pop();
  }
  for (let top = state.updates.first(); top !== undefined; top = state.updates.first()) {
    const { item } = top;
    const isClean =
      item.record.alert.count === item.record.writtenCount || !state.alerts.has(item.record.alert.alert_id);
    const at = updatesAt(item.record, options.intervalMs);
    if (!isClean && at === top.at) break;
    state.updates.pop();
    if (isClean) item.isQueued = false;
    else state.updates.push(at, top.id, item);
  }
  for (let top = state.leavings.first(); top !== undefined; top = state.leavings.first()) {
    const isGone = !state.alerts.has(top.item.record.alert.alert_id);
    const at = leavesAt(top.item.record, options.windowMs);
    if (!isGone && at === top.at) break;
    state.leavings.pop();
    if (!isGone) state.leavings.push(at, top.id, top.item);
  }
}

function assertNever(effect: never): never {
  throw new Error(`no such effect: ${JSON.stringify(effect)}`);
}
