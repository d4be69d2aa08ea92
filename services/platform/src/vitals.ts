import type { Bus, GroupPosition } from './bus/bus.ts';
import { firstUnread } from './bus/first-unread.ts';
import type { Clock } from './clock.ts';
import type { Component } from './lifecycle.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Store } from './store/store.ts';

interface Dependencies {
  readonly bus: Bus;
  /** Only where this process uses it. */
  readonly store?: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Whether the parts of this process work, and how far its groups are behind. */
export interface Vitals extends Component {
  /** Adds a part that works while `isReady` says so; the name of a group also has its lag measured. */
  watch(part: string, isReady: () => boolean): void;
  /** Each part, with what the last look found of the log and the store. */
  parts(): Readonly<Record<string, boolean>>;
}

const LOOK_MS = 5_000;
/** A look that takes longer has found nothing that works. */
const PATIENCE_MS = 4_000;

/** @param lookMs between two looks at log and store (default 5,000) */
export function createVitals({ bus, store, clock, log, metrics }: Dependencies, lookMs = LOOK_MS): Vitals {
  const watched = new Map<string, () => boolean>();
  // Whoever opened them has reached them.
  const reached = new Map([['log', true], ...(store === undefined ? [] : ([['store', true]] as const))]);
  const stopping = new AbortController();
  let looking: Promise<void> | undefined;

  function parts(): Readonly<Record<string, boolean>> {
    const own = [...watched].map(([part, isReady]) => [part, isReady()] as const);
    return Object.fromEntries([...reached, ...own]);
  }

  async function reach(part: string, look: () => Promise<unknown>): Promise<void> {
    let found = 'no answer';
    const patience = new AbortController();
    await Promise.race([
      look().then(
        () => {
          found = '';
        },
        (error: unknown) => {
          found = error instanceof Error ? error.message : String(error);
        },
      ),
      clock.sleep(PATIENCE_MS, AbortSignal.any([patience.signal, stopping.signal])),
    ]);
    patience.abort();
    if (stopping.signal.aborted) return;
    if (reached.get(part) !== false && found !== '') log.warn({ part, problem: found }, 'cannot be reached');
    if (reached.get(part) === false && found === '') log.info({ part }, 'can be reached again');
    reached.set(part, found === '');
  }

  async function measureLag(): Promise<void> {
    const own = (await bus.groups()).filter(({ group }) => watched.has(group));
    const lags = await Promise.all(own.map(async (position) => ({ position, ...(await lagOf(bus, position, clock)) })));
    for (const [name, { records, seconds }] of sums(lags)) {
      const [group = '', topic = ''] = name.split(' ');
      metrics.set('eyrie_bus_lag_records', { group, topic }, records);
      metrics.set('eyrie_bus_lag_seconds', { group, topic }, seconds);
    }
  }

  async function look(): Promise<void> {
    await Promise.all([
      reach('log', measureLag),
      ...(store === undefined ? [] : [reach('store', () => store.query('SELECT 1'))]),
    ]);
    for (const [part, isReady] of Object.entries(parts())) metrics.set('eyrie_ready', { part }, Number(isReady));
  }

  async function keepLooking(): Promise<void> {
    while (!stopping.signal.aborted) {
      await look();
      await clock.sleep(lookMs, stopping.signal);
    }
  }

  return {
    name: 'vitals',
    watch: (part, isReady) => watched.set(part, isReady),
    parts,
    start: async () => {
      looking = keepLooking();
    },
    stop: async () => {
      stopping.abort();
      await looking;
    },
  };
}

interface Lag {
  readonly position: GroupPosition;
  readonly records: number;
  readonly seconds: number;
}

/** What is not read yet, and how long its first record has waited. */
async function lagOf(bus: Bus, position: GroupPosition, clock: Clock) {
  const first = await firstUnread(bus, position);
  if (first === undefined) return { records: 0, seconds: 0 };
  return { records: position.end - first.offset, seconds: Math.max(0, clock.now() - first.timestamp) / 1_000 };
}

/** By group and topic: records summed, seconds of the partition that waits longest. */
function sums(lags: readonly Lag[]): ReadonlyMap<string, { records: number; seconds: number }> {
  const found = new Map<string, { records: number; seconds: number }>();
  for (const { position, records, seconds } of lags) {
    const name = `${position.group} ${position.topic}`;
    const held = found.get(name) ?? { records: 0, seconds: 0 };
    found.set(name, { records: held.records + records, seconds: Math.max(held.seconds, seconds) });
  }
  return found;
}
