import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { GroupSpec, Membership } from '../bus.ts';
import { asAppError } from './errors.ts';
import { type Group, setbackOf } from './group.ts';

/** One owned partition number, from its fence to its end. */
export interface Ownership<A> {
  readonly assigned: A;
  readonly partition: number;
  /** Fences the former owner, reads positions and settles them. */
  begin(): Promise<void>;
  /** Refuses every later step. */
  lose(why: string): void;
  /** Waits for a step under way, and closes. */
  end(): Promise<void>;
}

export interface MemberOptions<A> {
  readonly spec: Pick<GroupSpec, 'group'>;
  readonly group: Group;
  /** The signal aborts when the partition is to be given up. */
  readonly own: (partition: number, signal: AbortSignal) => Ownership<A>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly heartbeatMs: number;
  /** How long a run may take to end when its partition moves; then it is fenced. */
  readonly drainMs: number;
}

interface Running {
  readonly ownership: Ownership<unknown>;
  readonly revoke: AbortController;
  readonly ended: Promise<void>;
  /** It ended by itself. */
  isOver: boolean;
}

type Run<A> = (assigned: A, signal: AbortSignal) => Promise<void>;

/** Before the group is asked again after something went wrong. */
const PAUSE_MS = 500;

/** Joins a group; runs start and end as its partitions come and go, while heartbeats go their own way. */
export function participate<A>(options: MemberOptions<A>, run: Run<A>): Membership {
  const member = new Member(options, run);
  const done = member.participate();
  const settled = done.then(
    () => undefined,
    () => undefined,
  );
  return {
    partitions: () => member.partitions(),
    done,
    leave: () => {
      member.stop();
      return settled;
    },
  };
}

class Member<A> {
  readonly #options: MemberOptions<A>;
  readonly #run: Run<A>;
  readonly #running = new Map<number, Running>();
  readonly #leaving = new AbortController();
  /** Runs not over yet, those too whose partition has moved without waiting for them. */
  readonly #unended = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];
  /** Partitions whose run was refused, not failed. */
  readonly #fenced = new Set<number>();
  #isMember = false;
  /** Aborted when a run has ended: someone has to look. */
  #changed = new AbortController();

  constructor(options: MemberOptions<A>, run: Run<A>) {
    this.#options = options;
    this.#run = run;
  }

  partitions(): readonly number[] | undefined {
    return this.#isMember ? [...this.#running.keys()] : undefined;
  }

  stop(): void {
    this.#leaving.abort();
  }

  async participate(): Promise<void> {
    const { group, log, spec } = this.#options;
    try {
      while (!this.#leaving.signal.aborted && !this.#isDone()) await this.#round();
    } catch (error) {
      this.#failures.push(asAppError(error));
    } finally {
      for (const { revoke } of this.#running.values()) revoke.abort();
      await Promise.all(this.#unended);
      await group.leave().catch((error) => log.warn({ err: error, group: spec.group }, 'a group was not left in form'));
    }
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  /** From one join to whatever makes the next one necessary. */
  async #round(): Promise<void> {
    const { group, clock, log, spec } = this.#options;
    const beating = new AbortController();
    try {
      const given = new Set(await group.join([...this.#running.keys()]));
      if (this.#leaving.signal.aborted) return;
      void this.#beat(beating);
      const moving = [...this.#running].filter(([number]) => !given.has(number));
      for (const number of given) if (!this.#running.has(number)) this.#start(number);
      this.#isMember = true;
      await Promise.all(moving.map(([number, running]) => this.#end(number, running, this.#options.drainMs)));
      if (moving.length > 0) return;
      while (!beating.signal.aborted && !this.#leaving.signal.aborted && !this.#isDone()) {
        await until(beating.signal, this.#leaving.signal, this.#changed.signal);
        if (this.#changed.signal.aborted) this.#changed = new AbortController();
        if (this.#dropFenced()) {
          await clock.sleep(PAUSE_MS, this.#leaving.signal);
          return;
        }
      }
      if (beating.signal.aborted) throw beating.signal.reason;
    } catch (error) {
      const setback = setbackOf(error);
      if (setback === 'refused') throw error;
      if (setback === 'rebalance') return;
      this.#isMember = false;
      log.warn({ err: asAppError(error), group: spec.group, setback }, 'a group has to be joined anew');
      group.lose();
      if (setback === 'expelled') {
        group.forget();
        await Promise.all([...this.#running].map(([number, running]) => this.#end(number, running, 0)));
      } else await clock.sleep(PAUSE_MS, this.#leaving.signal);
    } finally {
      beating.abort();
    }
  }

  /** Beats until told to stop, or until a beat says why it must: that is the reason it aborts with. Never rejects. */
  async #beat(beating: AbortController): Promise<void> {
    const { clock, heartbeatMs, group } = this.#options;
    for (;;) {
      await clock.sleep(heartbeatMs, beating.signal);
      if (beating.signal.aborted) return;
      try {
        await group.heartbeat();
      } catch (error) {
        beating.abort(error);
        return;
      }
    }
  }

  #start(number: number): void {
    const revoke = new AbortController();
    const ownership = this.#options.own(number, revoke.signal);
    const running: Running = { ownership, revoke, ended: this.#runOne(ownership, revoke.signal), isOver: false };
    this.#running.set(number, running);
    this.#unended.add(running.ended);
    void running.ended.then(() => {
      this.#unended.delete(running.ended);
      running.isOver = true;
      this.#changed.abort();
    });
  }

  /** Never rejects. */
  async #runOne(ownership: Ownership<A>, signal: AbortSignal): Promise<void> {
    const { partition } = ownership;
    try {
      await ownership.begin();
      if (!signal.aborted) await this.#run(ownership.assigned, signal);
    } catch (error) {
      if (error instanceof AppError && error.code === 'EYRIE_FENCED') {
        // Not a failure: the partition has another owner, or is taken up again from the committed state.
        this.#options.log.warn({ err: error, group: this.#options.spec.group, partition }, 'a partition was lost');
        this.#fenced.add(partition);
      } else {
        this.#failures.push(error);
        this.stop();
      }
    } finally {
      ownership.lose('its run has ended');
      await ownership.end();
    }
  }

  /** @returns true when a partition was taken from this member: the group is to be asked again */
  #dropFenced(): boolean {
    for (const number of this.#fenced) this.#running.delete(number);
    const isAny = this.#fenced.size > 0;
    this.#fenced.clear();
    return isAny;
  }

  async #end(number: number, running: Running, drainMs: number): Promise<void> {
    running.revoke.abort();
    const drained = new AbortController();
    void running.ended.then(() => drained.abort());
    if (drainMs > 0) await this.#options.clock.sleep(drainMs, drained.signal);
    running.ownership.lose('the partition has moved');
    this.#running.delete(number);
    this.#fenced.delete(number);
  }

  #isDone(): boolean {
    return this.#running.size > 0 && this.#fenced.size === 0 && [...this.#running.values()].every((one) => one.isOver);
  }
}

/** Resolves when one of the signals aborts. */
async function until(...signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  if (any.aborted) return;
  await new Promise<void>((resolve) => any.addEventListener('abort', () => resolve(), { once: true }));
}
