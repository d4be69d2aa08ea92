import { z } from 'zod';

/** What Slack sends when a button of ours is pressed; the rest of it is left alone. */
const Interaction = z.looseObject({
  type: z.literal('block_actions'),
  user: z.looseObject({ id: z.string().max(64) }),
  team: z.looseObject({ id: z.string().max(64) }),
  actions: z
    .array(z.looseObject({ action_id: z.enum(['eyrie-approve', 'eyrie-deny']), value: z.string().max(200) }))
    .length(1),
});

export interface SlackAnswer {
  readonly user: string;
  readonly team: string;
  readonly decision: 'approve' | 'deny';
  readonly plan: string;
  readonly planHash: string;
}

/** Undefined when it is no press of our buttons. The body is a form with one field, `payload`, which holds JSON. */
export function readInteraction(body: Buffer): SlackAnswer | undefined {
  let written: unknown;
  try {
    written = JSON.parse(new URLSearchParams(body.toString('utf8')).get('payload') ?? '');
  } catch {
    return undefined;
  }
  const parsed = Interaction.safeParse(written);
  const [action] = parsed.data?.actions ?? [];
  const [, plan, planHash] = /^([0-9a-f]{32}):([0-9a-f]{32})$/.exec(action?.value ?? '') ?? [];
  if (!parsed.success || action === undefined || plan === undefined || planHash === undefined) return undefined;
  const decision = action.action_id === 'eyrie-approve' ? 'approve' : 'deny';
  return { user: parsed.data.user.id, team: parsed.data.team.id, decision, plan, planHash };
}
