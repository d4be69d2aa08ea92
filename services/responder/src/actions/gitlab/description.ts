import type { Call } from '../../core/owner/decision.ts';
import { codeSpan, fieldSpan, titleOf } from './markdown.ts';

/** A line by which an issue or a note is known again; compared whole, never searched within other text. */
export function marker(kind: 'intent' | 'subject' | 'occurrences', key: string): string {
  return `eyrie-${kind}: ${key}`;
}

export function hasMarker(text: string, line: string): boolean {
  return text.split(/\r?\n/).includes(line);
}

export function issueTitle({ plan }: Call): string {
  const { rule = '', priority = '', fields = {} } = plan.todo?.context ?? {};
  const place = [fields['namespace'], fields['workload'] ?? fields['pod']].filter(Boolean).join('/');
  return titleOf(`${priority}: ${rule}${place === '' ? '' : ` in ${place}`} (${plan.cluster})`);
}

/** Every line begins with text of ours. */
export function issueDescription({ plan, intent }: Call, subject: string): string {
  const { rule = '', priority = '', summary = '', fields = {} } = plan.todo?.context ?? {};
  const rows = Object.entries(fields).map(([name, value]) => `- ${codeSpan(name)}: ${fieldSpan(name, value)}`);
  return [
    `**Detection:** ${codeSpan(rule)}`,
    `**Priority:** ${codeSpan(priority)}`,
    `**Cluster:** ${codeSpan(plan.cluster)}`,
    `**Target:** ${codeSpan(plan.target)}`,
    `**Alert:** ${codeSpan(plan.alert_id)}`,
    `**Rule:** ${codeSpan(plan.rule_id)}`,
    ...(summary === '' ? [] : [`**Output:** ${codeSpan(summary)}`]),
  ]
    .map((line) => `${line}  `)
    .concat(['', '**Fields**', '', ...rows, '', marker('intent', intent.intent_key), '', marker('subject', subject)])
    .join('\n');
}

const LAST = 20;

/** The one note that grows: how often, and the latest alerts. Counts an intent once. Undefined when it is counted already. */
export function occurrences(before: string, { plan, intent }: Call, subject: string): string | undefined {
  const lines = before.split(/\r?\n/).filter((line) => line.startsWith('- intent '));
  const key = `- intent ${intent.intent_key}, `;
  if (lines.some((line) => line.startsWith(key))) return undefined;
  const count = Number(/^\*\*Occurred again\*\*, (\d+) ×/m.exec(before)?.[1] ?? 0) + 1;
  const line = `${key}alert ${codeSpan(plan.alert_id)}, target ${codeSpan(plan.target)}, ${new Date(plan.at).toISOString()}`;
  const latest = [line, ...lines].slice(0, LAST);
  return [`**Occurred again**, ${count} ×; the latest:`, '', ...latest, '', marker('occurrences', subject)].join('\n');
}
