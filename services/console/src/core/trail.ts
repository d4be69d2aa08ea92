import type { Alert, Identity, Judgement, LineReading } from '@eyrie/schemas';
import type { WhyView } from '@eyrie/schemas/api';

type Trail = WhyView['trail'];
type Step = Trail[number];

/** What is known of one event, from the log position on. */
export interface Known {
  readonly position: { readonly partition: number; readonly offset: number; readonly index: number };
  readonly received_at: string | undefined;
  /** How the line reads; undefined when the log no longer holds it. */
  readonly reading: LineReading | undefined;
  readonly judged:
    | { readonly judgement: Judgement; readonly identity: Identity; readonly event_id: string }
    | undefined;
  readonly alert: Alert | undefined;
  readonly documents: WhyView['documents'];
  readonly rules: WhyView['rules'];
  readonly actions: WhyView['actions'];
}

/** The trail in words, one sentence a step. */
export function trailOf(known: Known): Trail {
  const { judged, alert } = known;
  return [
    received(known),
    ...prepared(known),
    ...(judged === undefined ? [] : [judgedStep(judged.judgement), joined(judged.identity)]),
    ...(alert === undefined ? [] : [scored(alert), told(alert)]),
    ...known.documents.filter(({ matched }) => matched).map(documentStep),
    ...known.rules.map(ruleStep),
    ...known.actions.map(actionStep),
  ];
}

function received({ position, received_at: at, reading }: Known): Step {
  const { partition, offset, index } = position;
  const place = `raw/${partition}/${offset}/${index}`;
  const when = at === undefined ? '' : ` at ${at}`;
  return step(
    'received',
    `line ${place} was stored${when}${reading === undefined ? '; the log no longer holds it' : ''}`,
  );
}

function prepared({ reading, judged }: Known): Step[] {
  if (judged !== undefined) return [step('prepare', `read as event ${judged.event_id}`)];
  if (reading === undefined) return [];
  if (!reading.ok) return [step('prepare', `${reading.outcome}: ${reading.code} (${reading.message})`)];
  return [
    step(
      'prepare',
      `read as an event of rule "${reading.falco.rule}"; no row of it: it is a duplicate, sensor health, or not archived yet`,
    ),
  ];
}

function judgedStep({
  outcome,
  reason,
  alert_id: id,
  alert_version: version,
  documents_version,
  model,
}: Judgement): Step {
  const target = id === undefined ? '' : ` alert ${id} version ${version ?? '?'}`;
  return step('judge', `${outcome} (${reason})${target}; documents version ${documents_version}, model ${model}`);
}

function joined({ namespace, workload_kind: kind, workload, pod, container_id: container }: Identity): Step {
  if (workload !== undefined) {
    return step(
      'join',
      `${kind ?? 'workload'} ${namespace ?? '?'}/${workload}${pod === undefined ? '' : `, pod ${pod}`}`,
    );
  }
  return step(
    'join',
    container === undefined
      ? 'no workload: an event of the host'
      : `workload unknown; container ${container} stands in`,
  );
}

function scored({ score }: Alert): Step {
  const reasons = score.reasons.map(({ feature, value, log_odds }) => `${feature}=${value} ${signed(log_odds)}`);
  const floor = score.floor === undefined ? '' : `; floor ${score.floor}`;
  const sum = reasons.length === 0 ? '' : `: ${reasons.join(', ')}`;
  return step('score', `${(score.p_attack * 100).toFixed(1)} % attack, band ${score.band}${floor}${sum}`);
}

function told({
  alert_id: id,
  state,
  version,
  count,
  disposition,
  disposition_reason: reason,
  triage,
  merged_into,
}: Alert): Step {
  const hidden = reason === undefined ? disposition : `${disposition} (${reason})`;
  const merged = merged_into === undefined ? '' : `, merged into ${merged_into}`;
  const verdict = triage.by === undefined ? '' : `; ${triage.status} by ${triage.by}`;
  return step('alert', `${id} version ${version}: ${state}${merged}, ${count} events, ${hidden}${verdict}`);
}

function documentStep({ kind, id, version, active }: WhyView['documents'][number]): Step {
  return step('documents', `${kind} ${id} version ${version} matches${active ? '' : ', but was not in force then'}`);
}

function ruleStep({ rule_id: id, fired, first_false: first }: WhyView['rules'][number]): Step {
  return step('rules', fired ? `${id} fired` : `${id} did not fire${first === undefined ? '' : `: ${first} is false`}`);
}

function actionStep({ rule_id: id, action, target, state, reason, at, detail }: WhyView['actions'][number]): Step {
  // Which guard said no, and to what, stands in the detail.
  const more = typeof detail === 'string' ? `: ${detail}` : '';
  return step('actions', `${id}/${action} on ${target}: ${state} (${reason}) at ${at}${more}`);
}

function step(name: string, text: string): Step {
  return { step: name, text };
}

function signed(number: number): string {
  return `${number < 0 ? '−' : '+'}${Math.abs(number).toFixed(2)}`;
}
