import { maskSecrets } from '@eyrie/platform/mask';
import type { Priority } from '@eyrie/schemas';
import type { Call } from '../../core/owner/decision.ts';
import { timeOf } from '../event-time.ts';
import { subjectKey } from '../subject.ts';
import { issueTitle } from './description.ts';
import { codeSpan, fieldSpan } from './markdown.ts';

/** GitLab cuts what is longer, within a code span too, and what stands in it would be Markdown again. */
const DESCRIPTION_MAX = 1_000;
const SPAN_MAX = 300;
const NAME_MAX = 100;

const SEVERITIES = new Map<Priority | undefined, string>([
  ['Emergency', 'critical'],
  ['Alert', 'critical'],
  ['Critical', 'critical'],
  ['Error', 'high'],
  ['Warning', 'medium'],
  ['Notice', 'low'],
  ['Informational', 'info'],
  ['Debug', 'info'],
]);

const SHOWN = ['namespace', 'workload', 'pod', 'image', 'command_line', 'file_name', 'user_name'];

/** An alert of GitLab's HTTP integration. An incident made of it shows title, service, hosts and description as Markdown. */
export function alertBody(call: Call, environment: string | undefined): string {
  const { plan, intent } = call;
  const { priority, fields = {} } = plan.todo?.context ?? {};
  const host = plainName(fields['host']);
  const service = plainName(fields['workload'] ?? fields['pod']);
  return JSON.stringify({
    title: issueTitle(call),
    description: alertDescription(call),
    start_time: timeOf(call),
    monitoring_tool: 'Eyrie',
    ...(service !== '' && { service }),
    ...(host !== '' && { hosts: [host] }),
    // Without one, or with a word it does not know, GitLab takes it for critical.
    severity: SEVERITIES.get(priority) ?? 'unknown',
    fingerprint: subjectKey(call),
    ...(environment !== undefined && { gitlab_environment_name: environment }),
    eyrie: { alert_id: plan.alert_id, intent_key: intent.intent_key, rule_id: plan.rule_id },
  });
}

/** Every line begins with text of ours, and is there whole or not at all. */
function alertDescription({ plan }: Call): string {
  const { rule = '', summary = '', fields = {} } = plan.todo?.context ?? {};
  const lines = [
    `**Detection:** ${codeSpan(rule, SPAN_MAX)}`,
    `**Cluster:** ${codeSpan(plan.cluster, SPAN_MAX)}`,
    `**Target:** ${codeSpan(plan.target, SPAN_MAX)}`,
    ...(summary === '' ? [] : [`**Output:** ${codeSpan(summary, SPAN_MAX)}`]),
    ...SHOWN.flatMap((name) => {
      const value = fields[name];
      return value === undefined ? [] : [`**${name}:** ${fieldSpan(name, value, SPAN_MAX)}`];
    }),
  ];
  let description = '';
  for (const line of lines) {
    const longer = description === '' ? line : `${description}  \n${line}`;
    if (longer.length <= DESCRIPTION_MAX) description = longer;
  }
  return description;
}

/** A name that nothing is made of: no mention, reference or link, dots of "www." included. */
function plainName(value: unknown): string {
  return maskSecrets(String(value ?? ''))
    .replace(/[^A-Za-z0-9._-]+/g, '?')
    .replace(/www\./gi, 'www?')
    .slice(0, NAME_MAX);
}
