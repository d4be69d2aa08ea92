import type { Assigned, Bus, BusRecord } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import { AppError } from '@eyrie/platform/errors';
import { failpoint } from '@eyrie/platform/failpoint';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import { openSealed, type Signer } from '@eyrie/platform/sign';
import { FORMATS, type OwnerRequest } from '@eyrie/schemas';
import { Calls } from './calls.ts';
import { nextBegin } from './core/owner/begin.ts';
import { headChange, restoreEntry } from './core/owner/codec.ts';
import { decide } from './core/owner/decide.ts';
import { type Decision, evolve, type LedgerLine, type OwnerInput, type OwnerOptions } from './core/owner/decision.ts';
import { AT_ONCE } from './core/owner/expire.ts';
import { emptyState, type OwnerState } from './core/owner/state.ts';
import { planKey } from './core/request.ts';
import { deadLetter } from './dead-letter.ts';
import { LimitNotices } from './limit-notices.ts';
import { countLedger, OwnerStep } from './owner-step.ts';
import type { Progress } from './progress.ts';
import type { Setup } from './setup.ts';

const POLL = { maxBytes: 512 * 1024, maxWaitMs: 1_000 };
const KINDS: ReadonlySet<string> = new Set<OwnerRequest['kind']>(['match', 'approval', 'undo', 'breaker_reset']);
const EXPIRE_MS = 60_000;
const HEAD_MS = 3_600_000;
const OVERDUE_MS = 1_000;

export interface OwnerDeps {
  readonly bus: Bus;
  readonly signer: Signer;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  readonly setup: () => Setup;
  readonly progress: Progress;
}

export interface OwnerSettings extends Omit<OwnerOptions, 'incarnation' | 'jitter'> {
  /** Plans with something to do in a cluster; at the bound no more requests are read. */
  readonly activeMax: number;
  /** How long running actions may go on when the process stops, milliseconds. */
  readonly drainMs: number;
}

/** Owns one partition of requests: decides, writes the intent, calls, writes the ending. */
export async function runOwner(
  assigned: Assigned,
  signal: AbortSignal,
  ready: () => void,
  deps: OwnerDeps,
  settings: OwnerSettings,
): Promise<void> {
  const incarnation = Math.floor(deps.random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0');
  const owner = new Owner(assigned, incarnation, await restore(assigned, deps), deps, settings);
  try {
    await owner.recover();
    ready();
    await owner.work(signal);
    await owner.drain();
  } finally {
    owner.abandon();
  }
}

/** @throws AppError EYRIE_DATA_DIR_NEWER, EYRIE_DATA_DIR_DAMAGED */
async function restore(assigned: Assigned, { log, metrics }: OwnerDeps): Promise<OwnerState> {
  const { partition } = assigned;
  const state = emptyState();
  for await (const [key, value] of assigned.restore()) {
    const restored = restoreEntry(state, key, value);
    const where = `action-state of partition ${partition}: entry ${key}`;
    if (restored === 'newer') throw new AppError('EYRIE_DATA_DIR_NEWER', where);
    if (restored === 'damaged-plan') {
      const what = 'cannot be read, and without it an action could be done twice';
      throw new AppError(
        'EYRIE_DATA_DIR_DAMAGED',
        `${where} ${what}. Look who wrote it; a record without value removes it`,
      );
    }
    if (restored === 'taken') continue;
    log.error({ topic: 'action-state', partition, key }, 'an entry of the state cannot be read and has no effect');
    metrics.count('eyrie_dead_letters_total', { stage: 'responder', reason: 'unreadable' });
  }
  return state;
}

class Owner {
  readonly #assigned: Assigned;
  readonly #state: OwnerState;
  readonly #deps: OwnerDeps;
  readonly #settings: OwnerSettings;
  readonly #incarnation: string;
  readonly #calls: Calls;
  readonly #limits: LimitNotices;
  #step = new OwnerStep();
  #position: number | undefined;
  #expireAt = 0;
  #headAt = 0;
  #overdueAt = 0;

  constructor(assigned: Assigned, incarnation: string, state: OwnerState, deps: OwnerDeps, settings: OwnerSettings) {
    this.#assigned = assigned;
    this.#incarnation = incarnation;
    this.#state = state;
    this.#deps = deps;
    this.#settings = settings;
    this.#calls = new Calls(incarnation, () => deps.setup().actions, deps.log);
    this.#limits = new LimitNotices(deps.log, deps.metrics);
  }

  async recover(): Promise<void> {
    const { progress } = this.#deps;
    // Until the first turn has looked, nobody may think that nothing is left to do.
    progress.busy(this.#assigned.partition, true);
    this.#decide({ kind: 'recover' });
    await this.#commit();
    progress.reached('action-requests', this.#assigned.partition, this.#assigned.position('action-requests').next);
  }

  async work(signal: AbortSignal): Promise<void> {
    let records: readonly BusRecord[] = [];
    let polling: Promise<void> | undefined;
    while (!signal.aborted) {
      this.#takeEnded();
      this.#admit(records);
      records = [];
      this.#tick();
      this.#decide({ kind: 'start' });
      await this.#commit();
      this.#report();
      // A read that ended during the commit is taken first: another one would take its place and lose it.
      if (records.length > 0) continue;
      if (polling === undefined && this.#state.active - this.#state.notices < this.#settings.activeMax) {
        polling = this.#assigned.poll(POLL).then((found) => {
          records = found;
          polling = undefined;
        });
      } else if (polling === undefined) {
        this.#deps.metrics.count('eyrie_bound_reached_total', { bound: 'responder_active' });
      }
      await this.#wait(polling, signal);
    }
    await polling;
    // What was read ahead and not taken is read again: its position was not written.
  }

  /** Lets running actions end, then ends them; what they did is written. */
  async drain(): Promise<void> {
    const { clock } = this.#deps;
    const late = new AbortController();
    await Promise.race([this.#calls.settled(), clock.sleep(this.#settings.drainMs, late.signal)]);
    late.abort();
    this.#calls.abort();
    await this.#calls.settled();
    this.#takeEnded();
    await this.#commit();
    this.#limits.say();
  }

  abandon(): void {
    this.#calls.abort();
    this.#deps.progress.busy(this.#assigned.partition, false);
  }

  #takeEnded(): void {
    for (const { call, result } of this.#calls.take()) {
      this.#decide({ kind: 'result', plan: call.plan.key, step: call.step, result, undo: call.undo === true });
    }
  }

  #admit(records: readonly BusRecord[]): void {
    const { bus, signer, metrics } = this.#deps;
    for (const record of records) {
      const read = openSealed<OwnerRequest>(signer, record.value, FORMATS.record);
      const isKnown = read.ok && KINDS.has(read.record.kind);
      if (isKnown) this.#decide({ kind: 'request', request: read.record });
      else {
        // A kind of request that a newer responder knows.
        const reason = read.ok ? 'newer_format' : read.reason;
        metrics.count('eyrie_dead_letters_total', { stage: 'responder', reason });
        this.#step.setAside(deadLetter(bus, record, reason, 'a request the responder cannot take'));
      }
      this.#position = record.offset + 1;
    }
  }

  #tick(): void {
    const now = this.#deps.clock.now();
    this.#limits.tick(now);
    if (now >= this.#overdueAt) {
      this.#overdueAt = now + OVERDUE_MS;
      this.#decide({ kind: 'overdue' });
    }
    // An approval that was not given ends on time.
    const isOver = [...this.#state.awaiting.values()].some((until) => until <= now);
    // A storm brings more in a minute than one step forgets.
    const isFull = this.#state.plans.size > this.#settings.plansMax;
    if (now < this.#expireAt && !isOver && !isFull) return;
    const { removed, windows, cooldowns } = this.#decide({ kind: 'expire' });
    const isMore = [removed, windows, cooldowns].some(({ length }) => length === AT_ONCE);
    this.#expireAt = isMore ? now : now + EXPIRE_MS;
    this.#tellHead(now);
  }

  /** Kept by whoever keeps the log: a ledger cut off at its end, with its state, is found out by it. */
  #tellHead(now: number): void {
    if (now < this.#headAt || this.#state.head.seq === 0) return;
    this.#headAt = now + HEAD_MS;
    this.#deps.log.info({ partition: this.#assigned.partition, ...this.#state.head }, 'head of the ledger');
  }

  #decide(input: OwnerInput): Decision {
    const { clock, random, setup, metrics } = this.#deps;
    const options = { ...this.#settings, incarnation: this.#incarnation, jitter: random() };
    const decision = decide(this.#state, input, setup().rules, clock.now(), options);
    evolve(this.#state, decision);
    this.#step.add(decision, (line) => this.#planOf(line));
    for (const bound of decision.bounds) metrics.count('eyrie_bound_reached_total', { bound });
    for (const [tenant, since] of decision.breakers) {
      if (since === null) this.#deps.log.info({ tenant }, 'the breaker was closed: actions go on');
      else
        this.#deps.log.error(
          { tenant },
          "too many actions failed: the breaker holds back this tenant's until it is reset",
        );
    }
    return decision;
  }

  #planOf({ tenant, rule_id: ruleId, alert_id: alertId, target }: LedgerLine) {
    return this.#state.plans.get(planKey(tenant, ruleId, alertId, target));
  }

  /** Intents and endings become durable; only then calls begin. */
  async #commit(): Promise<void> {
    const step = this.#step;
    const position = this.#position;
    if (step.isEmpty && position === undefined) return;
    this.#step = new OwnerStep();
    this.#position = undefined;
    const { partition } = this.#assigned;
    const { outputs, head } = step.outputs(partition, this.#deps.signer, this.#state.head);
    if (step.calls.length > 0) failpoint('before-intent');
    await this.#assigned.transact({
      positions: position === undefined ? [] : [{ topic: 'action-requests', next: position }],
      state: head === this.#state.head ? step.state : [...step.state, headChange(head)],
      outputs,
    });
    this.#state.head = head;
    if (step.calls.length > 0) failpoint('after-intent');
    for (const call of step.calls) this.#calls.begin(call);
    countLedger(this.#deps.metrics, step.lines);
    this.#notice(step.lines);
    this.#limits.add(step.lines);
    if (position !== undefined) this.#deps.progress.reached('action-requests', partition, position);
  }

  /** A person must look: it may have had its effect or not. */
  #notice(lines: readonly LedgerLine[]): void {
    for (const { state, reason, tenant, rule_id, action, alert_id, target, intent_key } of lines) {
      if (state !== 'unknown') continue;
      this.#deps.log.warn(
        { reason, tenant, rule_id, action, alert_id, target, intent_key },
        'the ending of an action is unknown',
      );
    }
  }

  #report(): void {
    const ready = nextBegin(this.#state) <= this.#deps.clock.now();
    this.#deps.progress.busy(this.#assigned.partition, this.#calls.open > 0 || ready);
  }

  async #wait(turn: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const waitMs = Math.min(POLL.maxWaitMs, Math.max(0, nextBegin(this.#state) - clock.now()));
    const waking = new AbortController();
    const either = AbortSignal.any([waking.signal, signal]);
    await Promise.race([this.#calls.news, clock.sleep(waitMs, either), ...(turn === undefined ? [] : [turn])]);
    waking.abort();
  }
}
