/**
 * The judge: folds events into alerts (docs/folding.md). `decide` is pure, `evolve` makes its decision so in the
 * partition's state, which has one owner.
 *
 *     const state = new JudgeState(partition) | restoreState(partition, entries, options)
 *     const decision = decide(state, input, documents, now, options);
 *     evolve(state, decision, options);
 *     await transact({ state: takeChanges(state), … })   // may cover many decisions; when it fails, restore anew
 */
import {
  type Alert,
  type Event,
  type Fingerprint,
  type Identity,
  type Judgement,
  OUTCOME_REASONS,
  type Outcome,
  type Reason,
  type Score,
} from '@eyrie/schemas';
import { Draft, type Draw } from './draft.ts';
import { closeDue, endSilences, isCloseDue, leaveDue, updateDue } from './due.ts';
import type { Effect } from './effects.ts';
import { fold } from './folding.ts';
import { laterOf } from './moments.ts';
import { idleWatermark, open } from './opening.ts';
import { handlesAt, type Spot } from './places.ts';
import { addsTo, entityOf, fingerprintOf, type Placed, place, waitingName } from './placing.ts';
import { refine, standInOf } from './refining.ts';
import { hasScore, repeatedAlert } from './repeating.ts';
import type { ClockRow, JudgeState } from './state.ts';
import type { Decision, JudgeDocuments, JudgeInput, JudgeOptions } from './types.ts';
import { obey } from './verdicts.ts';
import { chooseWindow } from './windows.ts';

export { restoreState, restoringState, takeChanges } from './changes.ts';
export { DEFAULTS } from './defaults.ts';
export { evolve } from './evolve.ts';
export { entitiesOf } from './placing.ts';
export { JudgeState } from './state.ts';
export type * from './types.ts';

/** What an input does. Changes nothing. `now` in milliseconds. */
export function decide(
  state: JudgeState,
  input: JudgeInput,
  documents: JudgeDocuments,
  now: number,
  options: JudgeOptions,
): Decision {
  if (input.kind === 'event') return decideEvent(state, input, documents, now, options);
  const draft = new Draft(state, documents, now, options);
  let command: Decision['command'];
  switch (input.kind) {
    case 'command':
      command = obey(draft, input.command);
      break;
    case 'identity':
      for (const name of input.entities) refine(draft, name);
      break;
    case 'tick':
      tick(draft, input.growth === true);
      break;
  }
  return finished(draft, undefined, command);
}

function finished(draft: Draft, judgement?: Judgement, command?: Decision['command']): Decision {
  const effects = draft.finish();
  const { alerts, notices, bounds, more } = draft;
  return { judgement, command, alerts, notices, bounds, more, effects };
}

/** Names under which alerts wait for an identity; after a restore each is worth an `identity` input. */
export function waitingEntities(state: JudgeState): string[] {
  return [...state.waiting.keys()];
}

function decideEvent(
  state: JudgeState,
  { event, checkRawPosition }: Extract<JudgeInput, { kind: 'event' }>,
  documents: JudgeDocuments,
  now: number,
  options: JudgeOptions,
): Decision {
  const effects: Effect[] = [];
  const reason = duplicateOf(state, event, checkRawPosition, effects);
  if (reason !== undefined) {
    effects.push({ kind: 'clock', row: state.clock, inputAt: now });
    return quietly(duplicate(reason, documents, now), effects);
  }
  effects.push({ kind: 'seen', id: event.event_id, intake: event.received_at });
  const row = moveClock(state.clock, event);
  effects.push({ kind: 'clock', row, inputAt: now });
  const isQuiet = !isCloseDue(state, row.watermark);
  const spot = options.inventory && state.places.find(event, options.inventory.version(), state);

  const handle = spot !== undefined && isQuiet ? repeatedAlert(state, spot, event, now, options) : undefined;
  let score: Score | undefined;
  if (spot !== undefined && handle !== undefined) {
    const { alert } = handle.record;
    const { identity } = spot.place.placed;
    score = options.score({ event, identity, fingerprint: spot.print, count: alert.count });
    if (hasScore(handle, score)) {
      effects.push({ kind: 'grow', handle, at: spot.target, time: event.time, intake: event.received_at });
      return quietly(judged(FOLDED.repeat, alert, identity, score, documents, now), effects);
    }
  }
  const draft = new Draft(state, documents, now, options, effects);
  draft.isQuiet = isQuiet;
  return finished(draft, judgeAt(draft, event, row, spot, score));
}

/** Why an event is one that was taken before; notes how far its raw partition was taken. */
function duplicateOf(
  state: JudgeState,
  event: Event,
  checkRawPosition: boolean,
  effects: Effect[],
): Reason<'duplicate'> | undefined {
  if (checkRawPosition) {
    const { log, partition, offset, index } = event.raw_pos;
    const held = state.rawRow(log, partition);
    if (held !== undefined && (offset < held.offset || (offset === held.offset && index <= held.index)))
      return 'raw_position';
    effects.push({ kind: 'raw', log, partition, offset, index });
  }
  return state.seen.has(event.event_id) ? 'event_id' : undefined;
}

/** Folds or opens; `score` where the event was scored already. */
function judgeAt(
  draft: Draft,
  event: Event,
  { watermark }: ClockRow,
  spot: Spot | undefined,
  known: Score | undefined,
): Judgement {
  const { options } = draft;
  const placed = spot?.place.placed ?? placeAndLearn(draft, event);
  const { fingerprint, draws } = spot === undefined ? findAlerts(draft, event, placed) : alertsAt(draft, spot);
  const window = chooseWindow(draws, event.time, event.received_at, options.windowMs);
  const { identity } = placed;
  const count = window?.record.alert.count ?? 0;
  const score = known ?? options.score({ event, identity, fingerprint, count });
  let ending: Outcome;
  let draw = window;
  if (draw === undefined) {
    const opened = open(draft, event, placed, fingerprint, score, draws);
    draw = opened.draw;
    ending = opened.ending as Outcome;
  } else ending = FOLDED[fold(draft, draw, event, placed, score)];
  const { alert } = draw.record;
  closeDue(draft, watermark, options.duePerEvent);
  return judged(ending, alert, identity, score, draft.documents, draft.now);
}

function judged(
  { outcome, reason }: Outcome,
  { alert_id, version, fingerprint }: Pick<Alert, 'alert_id' | 'version' | 'fingerprint'>,
  identity: Identity,
  score: Score,
  documents: JudgeDocuments,
  now: number,
): Judgement {
  return {
    v: 1,
    outcome,
    reason,
    alert_id,
    alert_version: version,
    fingerprint,
    identity,
    fp_score: score.fp_score,
    documents_version: documents.version,
    model: score.model,
    judged_at: now,
  } as Judgement;
}

function duplicate(reason: Reason<'duplicate'>, { version }: JudgeDocuments, now: number): Judgement {
  return { v: 1, outcome: 'duplicate', reason, documents_version: version, model: '', judged_at: now };
}

/** A decision that publishes nothing. */
function quietly(judgement: Judgement, effects: readonly Effect[]): Decision {
  return { judgement, command: undefined, alerts: NONE, notices: NONE, bounds: NONE, more: false, effects };
}

const NONE: readonly never[] = [];

const FOLDED = Object.fromEntries(
  OUTCOME_REASONS.folded.map((reason) => [reason, { outcome: 'folded', reason }]),
) as Record<Reason<'folded'>, Outcome>;

function findAlerts(draft: Draft, event: Event, placed: Placed): { fingerprint: Fingerprint; draws: readonly Draw[] } {
  const fingerprint = draft.resolve(fingerprintOf(event.routing_key, placed.key));
  const draws = draft.ofFingerprint(fingerprint);
  if (draws.length > 0 || placed.isFinal || placed.entity === undefined) return { fingerprint, draws };
  const standIn = standInOf(draft, waitingName(event), placed.entity, event.routing_key);
  return standIn === undefined ? { fingerprint, draws } : { fingerprint: standIn, draws: draft.ofFingerprint(standIn) };
}

/** The alerts of an event whose container told before all that this one tells. */
function alertsAt(draft: Draft, spot: Spot): { fingerprint: Fingerprint; draws: readonly Draw[] } {
  const fingerprint = draft.resolve(spot.print);
  if (fingerprint !== spot.print) return { fingerprint, draws: draft.ofFingerprint(fingerprint) };
  return { fingerprint, draws: draft.ofFingerprint(fingerprint, handlesAt(spot, draft.state)) };
}

/** Finds where an event belongs. What it tells of its container helps those that came before it, and those after (rule 7). */
function placeAndLearn(draft: Draft, event: Event): Placed {
  const entity = entityOf(event);
  const known = entity === undefined ? undefined : draft.known(entity);
  const placed = place(event, entity, known, draft.options);
  if (entity === undefined) return placed;
  if (!addsTo(known, placed.identity)) {
    const { inventory } = draft.options;
    if (placed.isFinal && placed.identity.workload !== undefined && inventory?.isSteady(event) === true) {
      draft.state.places.remember(event, inventory.version(), draft.state, placed);
    }
    return placed;
  }
  draft.setKnown(entity, learn(known, placed.identity));
  const name = waitingName(event);
  if (draft.state.waiting.has(name)) refine(draft, name);
  return placed;
}

function learn(known: Identity | undefined, identity: Identity): Identity {
  return { ...known, ...identity };
}

/** The watermark is the highest believable stamp; a clamped one moves nothing (rule 5). */
function moveClock(clock: ClockRow, event: Event): ClockRow {
  const intake = Math.max(clock.intake, event.received_at);
  const watermark =
    event.clamped === true
      ? clock.watermark
      : clock.watermark === ''
        ? event.time
        : laterOf(clock.watermark, event.time);
  return intake === clock.intake && watermark === clock.watermark ? clock : { watermark, intake };
}

function tick(draft: Draft, growth: boolean): void {
  const { state, now, options } = draft;
  let row = state.clock;
  const idleMs = state.lastInputAt === undefined ? 0 : now - state.lastInputAt;
  if (row.intake > 0 && idleMs >= options.graceMs && idleMs > 0) {
    row = { watermark: idleWatermark(state.idleFrom, idleMs), intake: state.idleFrom.intake + idleMs };
  }
  draft.effects.push({ kind: 'clock', row, inputAt: state.lastInputAt === undefined ? now : undefined });
  endSilences(draft);
  closeDue(draft, row.watermark, options.duePerInput);
  updateDue(draft, growth);
  leaveDue(draft, row.intake);
}
