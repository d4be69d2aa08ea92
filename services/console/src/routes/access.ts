import { AppError } from '@eyrie/platform/errors';
import type { Principal } from '@eyrie/platform/tokens';

/** A token bound to a cluster sees that one, whatever was asked. @throws AppError EYRIE_HTTP_FORBIDDEN */
export function boundCluster({ cluster: own }: Principal, asked: string | undefined): { cluster?: string } {
  if (own === '*') return asked === undefined ? {} : { cluster: asked };
  if (asked !== undefined && asked !== own) {
    throw new AppError('EYRIE_HTTP_FORBIDDEN', `the token is bound to the cluster ${own}`);
  }
  return { cluster: own };
}
