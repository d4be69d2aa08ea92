import type { Bus, BusRecord, Output, Step } from '@eyrie/platform/bus/bus';
import { openSealed, type Signer } from '@eyrie/platform/sign';
import {
  type Alert,
  type Command,
  type Event,
  FORMATS,
  FrameError,
  FrameReader,
  isEvent,
  type Judged,
  type Judgement,
  type Reason,
} from '@eyrie/schemas';
import { deadLetterOutput, healthOutput, unreadableLetter } from './asides.ts';
import {
  type Bound,
  type Decision,
  decide,
  evolve,
  type JudgeDocuments,
  type JudgeInput,
  type JudgeOptions,
  type JudgeState,
  takeChanges,
} from './core/judge/judge.ts';
import { Frames } from './frames.ts';
import type { Learner } from './learner.ts';
import { Outcomes } from './outcomes.ts';

export interface JudgingParts {
  readonly bus: Bus;
  readonly signer: Signer;
  readonly options: JudgeOptions;
  readonly documents: () => JudgeDocuments;
  readonly learner: Learner;
}

/** Ticks in a row while more is due by time than one decision takes: what is left is for the next step, which must not wait long. */
const TICKS = 8;

/**
 * One partition of the judge between two committed steps: takes inputs one by one, in order, and collects what the step
 * must make visible together. After a failed step it must be thrown away with its state.
 */
export class Judging {
  readonly #state: JudgeState;
  readonly #parts: JudgingParts;
  readonly #frames = new Frames<Judged>('judged');
  #outputs: Output[] = [];
  #outcomes = new Outcomes('judge');
  #bounds: Bound[] = [];

  constructor(state: JudgeState, parts: JudgingParts) {
    this.#state = state;
    this.#parts = parts;
  }

  take(record: BusRecord, now: number): void {
    if (record.topic === 'events') this.#takeEvents(record, now);
    else this.#takeCommand(record, now);
  }

  /** Identities may be known now that were not. */
  identify(entities: readonly string[], now: number): void {
    if (entities.length > 0) this.#decide({ kind: 'identity', entities }, now);
  }

  /** True when more is due: the next step should tick at once. With `growth` all that grew is written, whatever its interval. */
  tick(now: number, growth = false): boolean {
    for (let i = 0; i < TICKS; i += 1) if (!this.#decide({ kind: 'tick', growth }, now).more) return false;
    return true;
  }

  /** What the step writes, and what to count once it is committed. */
  finish(): {
    readonly step: Required<Omit<Step, 'positions'>>;
    readonly outcomes: Outcomes;
    readonly bounds: readonly Bound[];
  } {
    const outputs = [...this.#outputs, ...this.#frames.finish()];
    const state = [...takeChanges(this.#state), ...this.#parts.learner.takeChanges()];
    const finished = { step: { state, outputs }, outcomes: this.#outcomes, bounds: this.#bounds };
    this.#outputs = [];
    this.#outcomes = new Outcomes('judge');
    this.#bounds = [];
    return finished;
  }

  #takeEvents(record: BusRecord, now: number): void {
    let reader: FrameReader;
    try {
      reader = new FrameReader(record.value, 'events');
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#setAside(record, error.code, error.message);
      this.#outcomes.add({ outcome: 'dead-lettered', reason: error.code });
      return;
    }
    const made = record.made as readonly Event[] | undefined;
    for (let i = 0; i < reader.entries; i += 1) {
      try {
        const lines = reader.entry();
        this.#takeEvent(made?.[i] ?? readEvent(lines), lines, now);
      } catch (error) {
        if (!(error instanceof UnreadableEvent) && !(error instanceof FrameError)) throw error;
        this.#setAside(record, error.code, error.message, i);
        // Where the frame itself ends early, its other entries are gone with it.
        const lost = error instanceof FrameError ? reader.entries - i : 1;
        this.#outcomes.add({ outcome: 'dead-lettered', reason: error.code }, lost);
        if (error instanceof FrameError) return;
      }
    }
  }

  /** `lines`: the event and its raw line, which go on as they are. */
  #takeEvent(event: Event, lines: Buffer, now: number): void {
    if (event.heartbeat === true) {
      this.#takeHeartbeat(event, lines, now);
      return;
    }
    const { judgement } = this.#decide({ kind: 'event', event, checkRawPosition: true }, now);
    if (judgement === undefined) throw new TypeError('an event was left without an ending');
    this.#parts.learner.learn(event, judgement);
    this.#tell(event, judgement, lines);
  }

  /** No observation: it passes on, and tells those behind that this stage works. */
  #takeHeartbeat(event: Event, lines: Buffer, now: number): void {
    const { version } = this.#parts.documents();
    const ending = { outcome: 'canary', reason: 'heartbeat' } as const;
    this.#tell(event, { v: 1, ...ending, documents_version: version, model: '', judged_at: now }, lines);
  }

  #tell(event: Event, judgement: Judgement, lines: Buffer): void {
    this.#outcomes.add(judgement);
    const made = { judgement, event };
    const full = this.#frames.add(this.#state.partition, made, JSON.stringify(judgement), lines);
    if (full !== undefined) this.#outputs.push(full);
  }

  /** Commands change what people see: without the mac of this installation they have no effect. */
  #takeCommand(record: BusRecord, now: number): void {
    const opened = openSealed<Command>(this.#parts.signer, record.value, FORMATS.record);
    if (!opened.ok) {
      this.#setAside(record, opened.reason, 'the command has no effect');
      return;
    }
    const { command: ending } = this.#decide({ kind: 'command', command: opened.record }, now);
    if (ending === 'unknown_alert') this.#setAside(record, 'unknown_alert', 'no alert has this id');
  }

  #decide(input: JudgeInput, now: number): Decision {
    const { documents, options } = this.#parts;
    const decision = decide(this.#state, input, documents(), now, options);
    this.#bounds.push(...decision.bounds, ...evolve(this.#state, decision, options));
    for (const alert of decision.alerts) this.#outputs.push(this.#alertOutput(alert));
    for (const notice of decision.notices) {
      this.#outputs.push(healthOutput(this.#parts.bus, this.#state.partition, notice));
    }
    return decision;
  }

  #alertOutput(alert: Alert): Output {
    const value = this.#parts.signer.seal(alert);
    return { topic: 'alerts', partition: this.#state.partition, key: alert.alert_id, value, made: alert };
  }

  #setAside(record: BusRecord, reason: Reason<'dead-lettered'>, message: string, index = 0): void {
    const whole = unreadableLetter(this.#parts.bus, 'judge', record, reason, message);
    const letter = { ...whole, raw_pos: { ...whole.raw_pos, index } };
    this.#outputs.push(deadLetterOutput(this.#parts.bus, this.#state.partition, letter));
  }
}

/** An entry of a frame that is no event this version can read. */
class UnreadableEvent extends Error {
  readonly code: 'unreadable' | 'newer_format';
  constructor(code: 'unreadable' | 'newer_format', message: string) {
    super(message);
    this.code = code;
  }
}

/** Of an entry's lines the first is the event. */
function readEvent(lines: Buffer): Event {
  let event: unknown;
  try {
    event = JSON.parse(lines.toString('utf8', 0, lines.indexOf('\n')));
  } catch {
    throw new UnreadableEvent('unreadable', 'the event is no JSON');
  }
  const { v } = (event ?? {}) as { readonly v?: unknown };
  if (typeof v === 'number' && v > FORMATS.record) {
    throw new UnreadableEvent('newer_format', `event format ${v} is newer than ${FORMATS.record}`);
  }
  if (!isEvent(event)) throw new UnreadableEvent('unreadable', 'what stands there is no event');
  return event;
}
