import { createHash } from 'node:crypto';
import type { Output } from '@eyrie/platform/bus/bus';
import { AppError } from '@eyrie/platform/errors';
import { principalOf } from '@eyrie/platform/http/server';
import { partitionOf } from '@eyrie/schemas';
import { ApiWorkloadsTaken, pageOf, WorkloadQuery } from '@eyrie/schemas/api';
import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { cut, encodeCursor } from '../core/cursor.ts';
import { readWorkload } from '../core/workload.ts';
import { listWorkloads } from '../workload-list.ts';
import { keysOf } from './cursor.ts';
import { errors } from './errors.ts';

const tags = ['workloads'];
const BODY_BYTES = 16 * 1024 * 1024;

/** What the inventory says of pods: the way in for metadata until a cluster is watched. */
export function workloadRoutes(app: App, context: Context): void {
  const { bus, clock } = context;
  app.addContentTypeParser(
    'application/x-ndjson',
    { parseAs: 'string', bodyLimit: BODY_BYTES },
    (_request, body, done) => done(null, body),
  );

  app.post(
    '/v1/workloads',
    {
      config: { scope: 'inventory' },
      bodyLimit: BODY_BYTES,
      schema: {
        tags,
        description:
          'One WorkloadSnapshot or a list (application/json), or one a line (application/x-ndjson); without tenant. ' +
          'Answers once the good ones are stored; a bad one does not spoil its neighbours.',
        body: z.unknown(),
        response: { 200: ApiWorkloadsTaken, ...errors },
      },
    },
    async (request) => {
      const { tenant, cluster } = principalOf(request);
      const outputs: Output[] = [];
      const rejected: z.output<typeof ApiWorkloadsTaken>['rejected'] = [];
      entriesOf(request.body).forEach((entry, index) => {
        const read = readWorkload(entry, { tenant, cluster, now: clock.now() });
        if (typeof read === 'string') {
          rejected.push({ index, code: 'EYRIE_HTTP_BAD_REQUEST', message: read });
          return;
        }
        const key = `${tenant}/${read.cluster}/${read.uid}`;
        outputs.push({
          topic: 'workloads',
          partition: partitionOf(createHash('sha256').update(key).digest('hex'), bus.partitions('workloads')),
          key,
          value: Buffer.from(JSON.stringify(read)),
        });
      });
      if (outputs.length > 0) await bus.append(outputs);
      return { accepted: outputs.length, rejected };
    },
  );

  app.get(
    '/v1/workloads',
    {
      config: { scope: 'read' },
      schema: { tags, querystring: WorkloadQuery, response: { 200: pageOf(z.looseObject({})), ...errors } },
    },
    async (request) => {
      const { tenant, cluster: own } = principalOf(request);
      const { limit, cursor, cluster, namespace } = request.query;
      const [after = ''] = keysOf('workloads', cursor, 1);
      const found = await listWorkloads(bus, tenant, {
        accept: (workload) =>
          (own === '*' || workload.cluster === own) &&
          (cluster === undefined || workload.cluster === cluster) &&
          (namespace === undefined || workload.namespace === namespace),
      });
      const rest = found.filter(({ key }) => key > after);
      const { items, last } = cut(rest, limit);
      return {
        items: items.map(({ workload }) => ({ ...workload })),
        ...(last === undefined ? {} : { next_cursor: encodeCursor('workloads', [last.key]) }),
      };
    },
  );
}

/** The entries of a body: unparsed text lines of NDJSON, or the values of JSON. */
function entriesOf(body: unknown): readonly unknown[] {
  if (typeof body === 'string')
    return body
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(parseLine);
  if (Array.isArray(body)) return body;
  if (typeof body === 'object' && body !== null) return [body];
  throw new AppError(
    'EYRIE_HTTP_BAD_REQUEST',
    'body: must be one workload, a list, or one a line as application/x-ndjson',
  );
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}
