import { workloadKey } from '../core/simulate/workload-key.ts';
import type { Span } from './pages.ts';
import { moment, rowsOf, type Select } from './select.ts';

const WORKLOADS_MAX = 100_000;

/** By `workloadKey`: most pods that events of one day named. No more than are there, unless they were replaced that day. */
export async function readPodCounts(select: Select, { from, to }: Span): Promise<Map<string, number>> {
  const names = 'tenant, cluster, namespace, workload_kind, workload';
  const sql =
    `SELECT ${names}, max(pods) FROM (SELECT ${names}, toDate(judged_at) AS day, uniqExact(pod_uid) AS pods ` +
    `FROM eyrie.events WHERE judged_at >= ${moment(from)} AND judged_at < ${moment(to)} AND workload != '' AND pod_uid != '' ` +
    `GROUP BY ${names}, day) GROUP BY ${names} LIMIT ${WORKLOADS_MAX}`;
  const rows = await rowsOf(select, sql, WORKLOADS_MAX);
  return new Map(
    rows.map(([tenant, cluster, namespace, kind, workload, pods]) => [
      workloadKey([tenant, cluster, namespace, kind, workload]),
      Number(pods),
    ]),
  );
}
