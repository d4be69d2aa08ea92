import { type Event, type Identity, msOfNanos, type Nanos, type Score } from '@eyrie/schemas';
import { isInContainer, isShell } from './facts.ts';
import type { ProcessRow, ScoreHistory, SeenRow, TenantHistory } from './history.ts';
import type { ScoreSubject } from './score.ts';

/** Pods remembered of a row: more say nothing more. */
const PODS_MAX = 3;
const START_MS = 120_000;

export function hourOf(time: Nanos): number {
  return Math.trunc(msOfNanos(time) / 3_600_000);
}

/**
 * Takes one accepted event into the history. A (process, hour) counts once, so a flood teaches nothing; what was judged
 * review or above makes its process known but is no evidence that it is harmless.
 */
export function learn(
  history: ScoreHistory,
  { event, identity }: ScoreSubject,
  score: Pick<Score, 'band'>,
): ProcessRow {
  const tenant = history.open(event.tenant);
  const keys = history.keysOf(event, identity);
  const hour = hourOf(event.time);
  const isBenign = score.band === 'low' || score.band === 'suppress';
  const pod = podOf(event, identity);
  const starts = isStart(event);
  const held = tenant.get('process', keys.process);
  if (held !== undefined && isHeld(held, hour, isBenign, pod, starts)) return held;

  const row = held ?? newRow(hour);
  if (row.last < hour) {
    row.last = hour;
    row.hours += 1;
    see(history, tenant, 'rule', keys.rule, hour, event.user_id);
    see(history, tenant, 'workload', keys.workload, hour, event.user_id);
    countGroup(history, tenant, hour);
    if (isShell(event) && event.tty !== undefined && event.tty > 0) seeShell(history, tenant, keys.place, hour);
  }
  if (isBenign) {
    const { image_digest: digest = event.image_digest ?? '' } = identity;
    if (digest !== '' && digest !== row.digest) {
      // Another image is another program: half of the trust has to be earned again.
      if (row.digest !== '') row.days = Math.trunc(row.days / 2);
      row.digest = digest;
    }
    countBenign(row, hour);
    remember(row.pods, pod);
    if (starts && isInContainer(event)) remember(row.starts, pod);
  }
  history.put(tenant, 'process', keys.process, row);
  return row;
}

/** True when the event adds nothing to the row it would teach. */
export function teachesNothing(
  row: ProcessRow,
  { event, identity }: ScoreSubject,
  { band }: Pick<Score, 'band'>,
): boolean {
  const isBenign = band === 'low' || band === 'suppress';
  return isHeld(row, hourOf(event.time), isBenign, podOf(event, identity), isStart(event));
}

/** Whether its container was young. */
export function isStart({ time, container_started_at: started }: Event): boolean {
  return started !== undefined && msOfNanos(time) - started < START_MS;
}

function podOf({ container_id, host }: Event, { pod_uid }: Identity): string {
  return pod_uid ?? container_id ?? host ?? '';
}

function isHeld(row: ProcessRow, hour: number, isBenign: boolean, pod: string, isStart: boolean): boolean {
  if (row.last < hour) return false;
  if (!isBenign) return true;
  return row.benignLast >= hour && holds(row.pods, pod) && (!isStart || holds(row.starts, pod));
}

function holds(pods: readonly string[], pod: string): boolean {
  return pods.length >= PODS_MAX || pods.includes(pod);
}

function remember(pods: string[], pod: string): void {
  if (!holds(pods, pod)) pods.push(pod);
}

function newRow(hour: number): ProcessRow {
  return {
    first: hour,
    last: -1,
    hours: 0,
    root: 0,
    other: 0,
    benignLast: -1,
    benign: 0,
    day: -1,
    days: 0,
    pods: [],
    starts: [],
    digest: '',
  };
}

function countBenign(row: ProcessRow, hour: number): void {
  if (hour <= row.benignLast) return;
  row.benignLast = hour;
  row.benign += 1;
  const day = Math.trunc(hour / 24);
  if (day <= row.day) return;
  row.day = day;
  row.days += 1;
}

function see(
  history: ScoreHistory,
  tenant: TenantHistory,
  kind: 'rule' | 'workload',
  key: string,
  hour: number,
  user: number | undefined,
): void {
  const row: SeenRow = tenant.get(kind, key) ?? { last: -1, hours: 0, root: 0, other: 0 };
  if (hour > row.last) {
    row.last = hour;
    row.hours += 1;
  }
  if (user !== undefined) row[user === 0 ? 'root' : 'other'] += 1;
  history.put(tenant, kind, key, row);
}

function seeShell(history: ScoreHistory, tenant: TenantHistory, key: string, hour: number): void {
  const row = tenant.get('place', key) ?? { last: hour, day: -1, days: 0 };
  const day = Math.trunc(hour / 24);
  row.last = hour;
  if (day > row.day) {
    row.day = day;
    row.days += 1;
  }
  history.put(tenant, 'place', key, row);
}

function countGroup(history: ScoreHistory, tenant: TenantHistory, hour: number): void {
  const row = tenant.tenant ?? { last: -1, hours: 0, groups: 0 };
  if (hour > row.last) {
    row.last = hour;
    row.hours += 1;
  }
  row.groups += 1;
  history.putTenant(tenant, row);
}
