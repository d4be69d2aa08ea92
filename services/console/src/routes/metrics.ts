import { AppError } from '@eyrie/platform/errors';
import { principalOf } from '@eyrie/platform/http/server';
import { compareCounts, type JudgeCount, type StoredCount } from '@eyrie/platform/reconciliation/compare';
import { readJudgeCounts } from '@eyrie/platform/reconciliation/judge-counts';
import { readStoredCounts } from '@eyrie/platform/reconciliation/stored-counts';
import { msOfNanos, type Nanos, parseNanos, type TenantId } from '@eyrie/schemas';
import { ApiCoverage, ApiMonthlyAlerts, CoverageQuery, MetricQuery } from '@eyrie/schemas/api';
import type { App, Context } from '../context.ts';
import { coverageOfNode, spanOfMonth, sumCoverage } from '../core/coverage.ts';
import { selectBlind, selectMonths, selectNodes } from '../queries/metrics.ts';
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
      const stored = await readStoredCounts(store, tenant);
      const counts = await readJudgeCounts(bus, tenant);
      const items = [];
      for (const row of await selectMonths(store, tenant, request.query)) {
        items.push({ ...row, coverage: (await coverage(tenant, spanOfMonth(row.month))).total });
      }
      return { items, reconciliation: reconciliationOf(counts, stored) };
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
    return { total: { ...sumCoverage(nodes), ...(await selectBlind(store, tenant, span)) }, nodes };
  }
}

/** The columns of the months are compared too once nothing is in flight. */
function reconciliationOf(judge: readonly JudgeCount[], stored: readonly StoredCount[]) {
  const passing = compareCounts(judge, stored, false);
  const atRest = passing.inFlight === 0 && passing.difference === 0;
  const opened = (rows: readonly JudgeCount[]) => rows.reduce((sum, row) => sum + row.opened, 0);
  return {
    difference: atRest ? compareCounts(judge, stored, true).difference : passing.difference,
    opened_judge: opened(judge),
    opened_sql: opened(stored),
    in_flight: passing.inFlight,
  };
}

function secondsOf(iso: string): number {
  return Math.floor(msOfNanos(parseNanos(iso) ?? ('' as Nanos)) / 1000);
}
