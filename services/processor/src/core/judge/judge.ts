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
  type Event,
  type Fingerprint,
  type Identity,
  type Judgement,
  OUTCOME_REASONS,
  type Outcome,
  type Reason,
} from '@eyrie/schemas';
import { Draft, type Draw } from './draft.ts';
import { closeDue, endSilences, isCloseDue, leaveDue, updateDue } from './due.ts';
import { fold } from './folding.ts';
import { laterOf } from './moments.ts';
import { idleWatermark, open } from './opening.ts';
import type { Spot } from './places.ts';
import { addsTo, entityOf, fingerprintOf, type Placed, place, waitingName } from './placing.ts';
import { refine, standInOf } from './refining.ts';
import type { ClockRow, JudgeState } from './state.ts';
import type { Decision, JudgeDocuments, JudgeInput, JudgeOptions } from './types.ts';
import { obey } from './verdicts.ts';
import { chooseWindow } from './windows.ts';

export { restoreState, takeChanges } from './changes.ts';
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
  const draft = new Draft(state, documents, now, options);
  let judgement: Judgement | undefined;
  let command: Decision['command'];
  switch (input.kind) {
    case 'event':
      judgement = judgeEvent(draft, input.event, input.checkRawPosition);
      break;
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
  const effects = draft.finish();
  const { alerts, notices, bounds, more } = draft;
  return { judgement, command, alerts, notices, bounds, more, effects };
}

/** Names under which alerts wait for an identity; after a restore each is worth an `identity` input. */
export function waitingEntities(state: JudgeState): string[] {
  return [...state.waiting.keys()];
}

function judgeEvent(draft: Draft, event: Event, checkRawPosition: boolean): Judgement {
  const { state, options } = draft;
  if (checkRawPosition) {
    const { log, partition, offset, index } = event.raw_pos;
    const held = state.rawRow(log, partition);
    if (held !== undefined && (offset < held.offset || (offset === held.offset && index <= held.index))) {
      return repeated(draft, 'raw_position');
    }
    draft.effects.push({ kind: 'raw', log, partition, offset, index });
  }
  if (state.seen.has(event.event_id)) return repeated(draft, 'event_id');
  draft.effects.push({ kind: 'seen', id: event.event_id, intake: event.received_at });

  const row = moveClock(state.clock, event);
  draft.effects.push({ kind: 'clock', row, inputAt: draft.now });
  draft.isQuiet = !isCloseDue(draft, row.watermark);
  const spot = options.inventory && state.places.find(event, options.inventory.version(), state);
  const placed = spot?.place.placed ?? placeAndLearn(draft, event);
  const { fingerprint, draws } = spot === undefined ? findAlerts(draft, event, placed) : alertsAt(draft, spot);
  const window = chooseWindow(draws, event.time, event.received_at, options.windowMs);
  const score = options.score({
    event,
    identity: placed.identity,
    fingerprint,
    count: window?.record.alert.count ?? 0,
  });
  let ending: Outcome;
  let draw = window;
  if (draw === undefined) {
    const opened = open(draft, event, placed, fingerprint, score, draws);
    draw = opened.draw;
    ending = opened.ending as Outcome;
  } else ending = FOLDED[fold(draft, draw, event, placed, score)];
  const { alert_id, version } = draw.record.alert;
  closeDue(draft, row.watermark, options.duePerEvent);
  return {
    v: 1,
    outcome: ending.outcome,
    reason: ending.reason,
    alert_id,
    alert_version: version,
    fingerprint,
    identity: placed.identity,
    fp_score: score.fp_score,
    documents_version: draft.documents.version,
    model: score.model,
    judged_at: draft.now,
  } as Judgement;
}

function repeated({ effects, state, documents, now }: Draft, reason: Reason<'duplicate'>): Judgement {
  effects.push({ kind: 'clock', row: state.clock, inputAt: now });
  return { v: 1, outcome: 'duplicate', reason, documents_version: documents.version, model: '', judged_at: now };
}

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
  if (spot.handles.length === 0) spot.handles = draft.state.byFingerprint.get(fingerprint) ?? spot.handles;
  return { fingerprint, draws: draft.ofFingerprint(fingerprint, spot.handles) };
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
