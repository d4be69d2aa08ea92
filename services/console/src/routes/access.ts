import { AppError } from '@eyrie/platform/errors';
import type { Principal } from '@eyrie/platform/tokens';
import type { Matcher } from '@eyrie/schemas';

/** A token bound to a cluster sees that one, whatever was asked. @throws AppError EYRIE_HTTP_FORBIDDEN */
export function boundCluster(
  { cluster: own }: Pick<Principal, 'cluster'>,
  asked: string | undefined,
): { cluster?: string } {
  if (own === '*') return asked === undefined ? {} : { cluster: asked };
  if (asked !== undefined && asked !== own) {
    throw new AppError('EYRIE_HTTP_FORBIDDEN', `the token is bound to the cluster ${own}`);
  }
  return { cluster: own };
}

/** Whether a document may act on what a token sees: one for another cluster alone is not shown to a bound token. */
export function concerns({ cluster: own }: Principal, matchers: readonly Matcher[]): boolean {
  if (own === '*') return true;
  return matchers.every(({ field, op, value }) => field !== 'cluster' || op !== '=' || value === own);
}

/** A token bound to a cluster hides nothing of another: what it writes or removes must name its own. @throws AppError EYRIE_HTTP_FORBIDDEN */
export function requireOwnCluster({ cluster: own }: Principal, matchers: readonly Matcher[]): void {
  if (own === '*') return;
  if (matchers.some(({ field, op, value }) => field === 'cluster' && op === '=' && value === own)) return;
  throw new AppError(
    'EYRIE_HTTP_FORBIDDEN',
    `the token is bound to the cluster ${own}: a matcher must say cluster = ${own}`,
  );
}
