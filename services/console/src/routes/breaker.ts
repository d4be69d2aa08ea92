import { randomUUID } from 'node:crypto';
import { AppError } from '@eyrie/platform/errors';
import { principalOf } from '@eyrie/platform/http/server';
import type { Principal } from '@eyrie/platform/tokens';
import { BREAKER_PREFIX } from '@eyrie/schemas/action-state';
import { ApiAsked, ApiBreaker } from '@eyrie/schemas/api';
import { requestPartition } from '@eyrie/schemas/request-partition';
import type { App, Context } from '../context.ts';
import { isoOfMs } from '../core/present.ts';
import { errors } from './errors.ts';
import { whoAsks } from './owner-request.ts';

const tags = ['actions'];

/** Whether failures hold back a tenant's actions on clusters: the state lies where all of them are decided. */
export function breakerRoutes(app: App, { bus, signer, clock }: Context): void {
  app.get(
    '/v1/breaker',
    { config: { scope: 'read' }, schema: { tags, response: { 200: ApiBreaker, ...errors } } },
    async (request) => {
      const { tenant } = principalOf(request);
      const key = BREAKER_PREFIX + tenant;
      const found = await bus.readState('action-state', partitionFor(tenant), key);
      const value = found.find(([name]) => name === key)?.[1];
      if (value === undefined) return { open: false };
      return { open: true, since: isoOfMs((JSON.parse(value.toString()) as { since: number }).since) };
    },
  );

  app.post(
    '/v1/breaker/reset',
    { config: { scope: 'respond' }, schema: { tags, response: { 202: ApiAsked, ...errors } } },
    async (request, reply) => {
      const principal = principalOf(request);
      requireWhole(principal);
      const { tenant } = principal;
      const id = randomUUID();
      const value = signer.seal({ v: 1, id, kind: 'breaker_reset', tenant, by: whoAsks(principal), at: clock.now() });
      await bus.append([{ topic: 'action-requests', partition: partitionFor(tenant), key: tenant, value }]);
      return reply.code(202).send({ request_id: id });
    },
  );

  function partitionFor(tenant: string): number {
    return requestPartition(tenant, bus.partitions('action-requests'));
  }
}

/** It opens and closes for all clusters of a tenant. */
function requireWhole({ cluster }: Principal): void {
  if (cluster === '*') return;
  throw new AppError(
    'EYRIE_HTTP_FORBIDDEN',
    `your token is bound to the cluster ${cluster}; the breaker is the tenant's`,
  );
}
