import type { Alert, AlertId, Fingerprint, Identity, Nanos } from '@eyrie/schemas';
import { Words } from '../words.ts';
import type { Bound } from './bounds.ts';
import type { Handle } from './handle.ts';
import { Places } from './places.ts';
import { waitingNames } from './placing.ts';
import type { AlertRecord } from './record.ts';
import { SeenIds } from './seen.ts';
import { Timers } from './timers.ts';

/** A closed alert past joining, as stored. */
export interface Stored {
  /** Milliseconds of intake time from which it is held `closedMs` longer. */
  readonly at: number;
  readonly value: Buffer;
  readonly isWaiting: boolean;
}

export interface CountRow {
  readonly opened: number;
  readonly shown: number;
  readonly suppressed: number;
  /** Number of the latest opening of the tenant in that month. */
  readonly last_seq: number;
}

export interface Dismissal {
  /** Milliseconds. */
  readonly until: number;
  /** Rank of the highest priority it covers. */
  readonly rank: number;
  readonly by: string;
  readonly alertId: AlertId;
}

export interface StormRow {
  /** Milliseconds of intake time. */
  readonly start: number;
  readonly told: number;
  readonly held: number;
}

export interface ClockRow {
  /** Empty until the first event with a believable stamp. */
  readonly watermark: Nanos | '';
  /** Highest intake time seen, milliseconds. */
  readonly intake: number;
}

/** Highest position taken of one raw partition. */
export interface RawRow {
  readonly log: string;
  readonly partition: number;
  offset: number;
  index: number;
  isDirty: boolean;
}

/** The state of one partition. One owner changes it, through `evolve` alone. */
export class JudgeState {
  readonly partition: number;
  readonly alerts = new Map<AlertId, Handle>();
  /** Closed and past joining, as stored: 30 days of them must not cost objects. */
  readonly closed = new Map<AlertId, Stored>();
  /** A list stays the same object until it is empty, and is dropped then. */
  readonly byFingerprint = new Map<Fingerprint, Handle[]>();
  readonly waiting = new Map<string, Set<AlertId>>();
  /** Waiting alerts whose stand-in several containers share. */
  sharedWaiting = 0;
  readonly known = new Map<string, Identity>();
  /** Changes of `known` so far. */
  knownEpoch = 0;
  readonly aliases = new Map<Fingerprint, Fingerprint>();
  readonly dismissals = new Map<Fingerprint, Dismissal>();
  readonly silenced = new Set<AlertId>();
  readonly counts = new Map<string, CountRow>();
  readonly sequences = new Map<string, number>();
  readonly storms = new Map<string, StormRow>();
  /** Few: one a raw partition and log identity. */
  readonly raw: RawRow[] = [];
  readonly seen = new SeenIds();
  /** Memos: never stored. */
  readonly places = new Places();
  readonly words = new Words();
  clock: ClockRow = { watermark: '', intake: 0 };
  /** When the last event came (by `now`) and where the clocks stood then; not persisted: a restart begins anew. */
  lastInputAt: number | undefined;
  idleFrom: ClockRow = this.clock;
  /** By watermark: open alerts at the end of their window plus grace. */
  readonly closings = new Timers<Handle>();
  /** By `now`: alerts that grew since they were written. */
  readonly updates = new Timers<Handle>();
  /** By intake time: closed alerts until nothing may join them. */
  readonly leavings = new Timers<Handle>();

  /** Keys of the changelog to write with the next step, beside alerts and blocks of ids. */
  readonly dirtyKeys = new Set<string>();
  readonly dirtyHandles: Handle[] = [];
  openCount = 0;
  /** Bounds reached while a decision was made so. */
  readonly bounds: Bound[] = [];

  constructor(partition: number) {
    this.partition = partition;
  }

  rawRow(log: string, partition: number): RawRow | undefined {
    for (const row of this.raw) if (row.partition === partition && row.log === log) return row;
    return undefined;
  }

  addWaiting({ waiting, alert }: AlertRecord): void {
    if (waiting === undefined) return;
    if (!waiting.isOwn) this.sharedWaiting += 1;
    for (const name of waitingNames(waiting.subject)) {
      const ids = this.waiting.get(name);
      if (ids === undefined) this.waiting.set(name, new Set([alert.alert_id]));
      else ids.add(alert.alert_id);
    }
  }

  removeWaiting({ waiting, alert }: AlertRecord): void {
    if (waiting === undefined) return;
    if (!waiting.isOwn) this.sharedWaiting -= 1;
    for (const name of waitingNames(waiting.subject)) {
      const ids = this.waiting.get(name);
      ids?.delete(alert.alert_id);
      if (ids?.size === 0) this.waiting.delete(name);
    }
  }
}

export function isOpen(alert: Alert): boolean {
  return alert.state === 'open';
}
