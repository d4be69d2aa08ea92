import { AppError } from '@eyrie/platform/errors';
import { principalOf } from '@eyrie/platform/http/server';
import { msOfNanos, type Nanos, parseNanos, type TenantId } from '@eyrie/schemas';
import { ApiCoverage, ApiMonthlyAlerts, CoverageQuery, MetricQuery } from '@eyrie/schemas/api';
import type { App, Context } from '../context.ts';
import { coverageOfNode, spanOfMonth, sumCoverage } from '../core/coverage.ts';
import { reconcile } from '../core/reconcile.ts';
import { readJudgeCounts } from '../judge-counts.ts';
import { selectMonths, selectNodes, selectOpenings } from '../queries/metrics.ts';
import { boundCluster } from './access.ts';
import { errors } from './errors.ts';

/** The longest span of one question, seconds. */
const SPAN_SECONDS = 400 * 24 * 3600;

/** How many alerts, and how much of the fleet was watched while they were counted. */
export function metricRoutes(app: App, { store, bus, clock }: Context): void {
  app.get(
    '/v1/metrics/monthly-alerts',
    {
      config: { scope: 'read' },
      schema: { tags: ['metrics'], querystring: MetricQuery, response: { 200: ApiMonthlyAlerts, ...errors } },
    },
    async (request) => {
      const principal = principalOf(request);
      if (principal.cluster !== '*') {
        throw new AppError('EYRIE_HTTP_FORBIDDEN', 'the monthly metric counts all clusters; the token is bound to one');
      }
      const { tenant } = principal;
      // SQL before the judge: what is written is then never more than what is counted.
      const openings = await selectOpenings(store, tenant);
      const all = await selectMonths(store, tenant, {});
      const counts = await readJudgeCounts(bus, tenant);
      const { from = '', to = '9999-12' } = request.query;
      const asked = all.filter(({ month }) => month >= from && month <= to);
      const items = [];
      for (const row of asked) {
        items.push({ ...row, coverage: (await coverage(tenant, spanOfMonth(row.month))).total });
      }
      return { items, reconciliation: reconcile(counts, openings, all) };
    },
  );

  app.get(
    '/v1/coverage',
    {
      config: { scope: 'read' },
      schema: { tags: ['coverage'], querystring: CoverageQuery, response: { 200: ApiCoverage, ...errors } },
    },
    async (request) => {
      const principal = principalOf(request);
      const { cluster } = boundCluster(principal, request.query.cluster);
      const from = secondsOf(request.query.from);
      const to = secondsOf(request.query.to);
      if (to <= from || to - from > SPAN_SECONDS) {
        throw new AppError('EYRIE_HTTP_BAD_REQUEST', 'querystring: from must lie before to, at most 400 days');
      }
      return coverage(principal.tenant, cluster === undefined ? { from, to } : { from, to, cluster });
    },
  );

  async function coverage(tenant: TenantId, span: { from: number; to: number; cluster?: string }) {
    const end = Math.min(span.to, Math.floor(clock.now() / 1000));
    const nodes = (await selectNodes(store, tenant, span)).map(({ cluster, node, ...life }) => ({
      cluster,
      node,
      ...coverageOfNode(life, end),
    }));
    return { total: sumCoverage(nodes), nodes };
  }
}

function secondsOf(iso: string): number {
  return Math.floor(msOfNanos(parseNanos(iso) ?? ('' as Nanos)) / 1000);
}
