import type { payload } from './payload.ts';
import { fitSlack } from './slack-text.ts';

/** What waits for a person, and how to say so. A button carries the names of the plan and what was seen of it, and no more. */
export function askingBlocks(
  approval: ReturnType<typeof payload>['approval'],
  takesButtons: boolean,
): readonly object[] {
  if (approval === undefined) return [];
  const { plan, plan_hash: hash, quorum, actions } = approval;
  const until = approval.until.replace('.000Z', 'Z');
  const many = quorum > 1 ? ` by ${quorum} persons` : '';
  const text = `*Waits for approval*${many} until ${until}: ${fitSlack(actions.join(', '), 900)}`;
  const how = `eyrie approvals approve ${plan} --hash ${hash}`;
  const section = (words: string) => ({ type: 'section', text: { type: 'mrkdwn', verbatim: true, text: words } });
  if (!takesButtons) return [section(`${text}\n\`${how}\``)];
  const button = (name: string, label: string, style: string) => ({
    type: 'button',
    action_id: `eyrie-${name}`,
    style,
    text: { type: 'plain_text', text: label },
    value: `${plan}:${hash}`,
  });
  const elements = [button('approve', 'Approve', 'primary'), button('deny', 'Deny', 'danger')];
  return [section(text), { type: 'actions', elements }];
}
