import { requireScope } from '@eyrie/platform/http/gate';
import { principalOf } from '@eyrie/platform/http/server';
import type { FastifyRequest } from 'fastify';
import type { Context } from '../context.ts';

/** Raw values may hold secrets: they need their own scope, and each reading leaves a line. @throws AppError EYRIE_HTTP_FORBIDDEN */
export function requireRaw({ log }: Pick<Context, 'log'>, request: FastifyRequest, what: string): void {
  const principal = principalOf(request);
  requireScope(principal, 'raw');
  const { name, tenant } = principal;
  log.info({ audit: true, by: name, tenant, what, path: request.url, requestId: request.id }, 'raw values read');
}
