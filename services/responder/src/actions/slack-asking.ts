import type { Call } from '../core/owner/decision.ts';
import { fitSlack } from './slack-text.ts';

/** What waits for a person, and how to say so. A button carries the names of the plan and what was seen of it, and no more. */
export function askingBlocks({ plan }: Call, takesButtons: boolean): readonly object[] {
  const { approval } = plan;
  if (approval === undefined) return [];
  const waiting = plan.steps.filter(({ state }) => state === 'awaiting_approval').map(({ action }) => action);
  const until = new Date(approval.until).toISOString().replace('.000Z', 'Z');
  const many = approval.quorum > 1 ? ` by ${approval.quorum} persons` : '';
  const text = `*Waits for approval*${many} until ${until}: ${fitSlack(waiting.join(', '), 900)}`;
  const how = `eyrie approvals approve ${plan.key} --hash ${approval.hash}`;
  const section = (words: string) => ({ type: 'section', text: { type: 'mrkdwn', verbatim: true, text: words } });
  if (!takesButtons) return [section(`${text}\n\`${how}\``)];
  const button = (name: string, label: string, style: string) => ({
    type: 'button',
    action_id: `eyrie-${name}`,
    style,
    text: { type: 'plain_text', text: label },
    value: `${plan.key}:${approval.hash}`,
  });
  const elements = [button('approve', 'Approve', 'primary'), button('deny', 'Deny', 'danger')];
  return [section(text), { type: 'actions', elements }];
}
