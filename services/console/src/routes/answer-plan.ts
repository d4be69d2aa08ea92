import { randomUUID } from 'node:crypto';
import { AppError } from '@eyrie/platform/errors';
import type { Principal } from '@eyrie/platform/tokens';
import type { ApprovalBody } from '@eyrie/schemas/api';
import type { z } from 'zod';
import type { Context } from '../context.ts';
import { type ActionRow, selectAwaiting } from '../queries/actions.ts';
import { boundCluster } from './access.ts';
import { askOwner } from './owner-request.ts';

/** Plans that are looked at; more wait longer than anyone reads. */
const ROWS_MAX = 1_000;

/** Somebody who may speak for a tenant: through the API, or through a button. */
export type Person = Pick<Principal, 'tenant' | 'cluster'> & { readonly person: string };

/** Steps of plans that wait, which the asker may see. */
export function awaitingPlans(
  { store }: Context,
  asker: Pick<Principal, 'tenant' | 'cluster'>,
  plan?: string,
): Promise<readonly ActionRow[]> {
  const selection = { ...boundCluster(asker, undefined), ...(plan !== undefined && { plan }) };
  return selectAwaiting(store, asker.tenant, selection, ROWS_MAX);
}

/**
 * Hands a person's word to the owner of the plan, who alone decides what comes of it. Gives the id of the request.
 * @throws AppError EYRIE_HTTP_NOT_FOUND, EYRIE_HTTP_CONFLICT
 */
export async function answerPlan(
  context: Context,
  who: Person,
  plan: string,
  { decision, plan_hash: hash, note }: z.output<typeof ApprovalBody>,
): Promise<string> {
  const { clock } = context;
  const rows = await awaitingPlans(context, who, plan);
  const row = rows.find(({ due_at }) => Date.parse(String(due_at)) > clock.now());
  if (row === undefined) throw new AppError('EYRIE_HTTP_NOT_FOUND', `no plan ${plan} waits for approval`);
  if (row['plan_hash'] !== hash) {
    throw new AppError('EYRIE_HTTP_CONFLICT', 'the plan is another one than you saw; look at it again');
  }
  const id = randomUUID();
  const highest = rows.reduce((most, one) => (Number(one['class']) > Number(most['class']) ? one : most), row);
  await askOwner(context, highest, {
    v: 1,
    id,
    kind: 'approval',
    tenant: who.tenant,
    plan,
    plan_hash: hash,
    decision,
    by: who.person,
    ...(note !== undefined && { note }),
    at: clock.now(),
  });
  return id;
}
