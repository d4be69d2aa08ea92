import { AppError } from '@eyrie/platform/errors';
import { principalOf } from '@eyrie/platform/http/server';
import { ApiLedgerCheck } from '@eyrie/schemas/api';
import type { App, Context } from '../context.ts';
import { verifyPartition } from '../verify-ledger.ts';
import { errors } from './errors.ts';

/** Whether the ledger is as it was written. A chain runs through all tenants, so the operator alone asks. */
export function ledgerRoutes(app: App, context: Context): void {
  app.get(
    '/v1/ledger/verify',
    { config: { scope: 'admin' }, schema: { tags: ['actions'], response: { 200: ApiLedgerCheck, ...errors } } },
    async (request) => {
      const { tenant, cluster } = principalOf(request);
      if (tenant !== context.operator || cluster !== '*') {
        throw new AppError(
          'EYRIE_HTTP_FORBIDDEN',
          'only the operator verifies the ledger: it holds lines of all tenants',
        );
      }
      const partitions = [];
      for (let partition = 0; partition < context.bus.partitions('actions'); partition += 1) {
        partitions.push(await verifyPartition(context, partition));
      }
      return { sound: partitions.every(({ breaks }) => breaks.length === 0), partitions };
    },
  );
}
