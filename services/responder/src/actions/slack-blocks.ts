import type { Call } from '../core/owner/decision.ts';
import { payload } from './payload.ts';
import { askingBlocks } from './slack-asking.ts';
import { fitSlack } from './slack-text.ts';

/** Block Kit with its limits; `verbatim` keeps Slack from making links and mentions out of plain text. */
export function slackMessageBody(call: Call, takesButtons: boolean) {
  const { plan } = call;
  const data = payload(call, { mask: true });
  const title = `${data.priority}: ${data.detection}`;
  const field = (name: string, value: string) => ({
    type: 'mrkdwn',
    verbatim: true,
    text: `*${name}*\n${fitSlack(value, 900)}`,
  });
  const shown = [
    ['Cluster', plan.cluster],
    ['Target', data.target],
    ...NAMES.flatMap(([label, names]) => {
      const value = names.map((name) => data.fields[name]).find((one) => one !== undefined);
      return value === undefined ? [] : [[label, String(value)] as const];
    }),
  ] as const;
  return {
    text: fitSlack(`${title} (${plan.cluster})`, 1_000),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: { type: 'plain_text', emoji: false, text: fitSlack(title, 150) } },
      ...(data.summary === ''
        ? []
        : [{ type: 'section', text: { type: 'mrkdwn', verbatim: true, text: fitSlack(data.summary, 1_500) } }]),
      { type: 'section', fields: shown.slice(0, 10).map(([name, value]) => field(name, value)) },
      ...askingBlocks(data.approval, takesButtons),
      {
        type: 'context',
        elements: [
          { type: 'mrkdwn', verbatim: true, text: fitSlack(`alert ${plan.alert_id} · rule ${plan.rule_id}`, 300) },
        ],
      },
    ],
  };
}

const NAMES: readonly (readonly [label: string, fields: readonly string[]])[] = [
  ['Namespace', ['namespace', 'k8s.ns.name']],
  ['Workload', ['workload']],
  ['Pod', ['pod', 'k8s.pod.name']],
  ['Host', ['host']],
  ['Image', ['image', 'container.image.repository']],
  ['Command', ['command_line', 'proc.cmdline']],
  ['File', ['file_name', 'fd.name']],
  ['User', ['user_name', 'user.name', 'audit_user']],
];
