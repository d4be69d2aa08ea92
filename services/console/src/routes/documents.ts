import { randomUUID } from 'node:crypto';
import { AppError } from '@eyrie/platform/errors';
import { principalOf } from '@eyrie/platform/http/server';
import type { Exception, Silence } from '@eyrie/schemas';
import {
  ApiDocument,
  DOCUMENT_INPUTS,
  DocumentDelete,
  DocumentInput,
  DocumentKindParam,
  DocumentParam,
  pageOf,
  type WritableKind,
} from '@eyrie/schemas/api';
import type { z } from 'zod';
import type { App, Context } from '../context.ts';
import { presentDocument, problemOfSpan, readException, readSilence } from '../core/document-body.ts';
import { concerns, requireOwnCluster } from './access.ts';
import { errors } from './errors.ts';

/** Documents of one kind a tenant may have: every one is matched against every opening event. */
const DOCUMENTS_PER_KIND = 5_000;

const tags = ['documents'];

/** Silences and exceptions: versioned records with author and time. */
export function documentRoutes(app: App, { documents, clock }: Context): void {
  app.get(
    '/v1/documents/:kind',
    {
      config: { scope: 'read' },
      schema: { tags, params: DocumentKindParam, response: { 200: pageOf(ApiDocument), ...errors } },
    },
    async (request) => {
      const principal = principalOf(request);
      const items = documents
        .list(request.params.kind)
        .filter(({ tenant, body }) => tenant === principal.tenant && concerns(principal, body?.matchers ?? []));
      return { items: items.sort((a, b) => b.at - a.at).map(presentDocument) };
    },
  );

  app.get(
    '/v1/documents/:kind/:id',
    {
      config: { scope: 'read' },
      schema: { tags, params: DocumentParam, response: { 200: ApiDocument, ...errors } },
    },
    async (request) => {
      const { kind, id } = request.params;
      const principal = principalOf(request);
      const record = documents.get(principal.tenant, kind, id);
      if (record === undefined || record.body === null || !concerns(principal, record.body.matchers)) {
        throw notFound(kind, id);
      }
      return presentDocument(record);
    },
  );

  app.post(
    '/v1/documents/:kind',
    {
      config: { scope: 'triage' },
      schema: { tags, params: DocumentKindParam, body: DocumentInput, response: { 200: ApiDocument, ...errors } },
    },
    async (request) => {
      const principal = principalOf(request);
      const { tenant, name } = principal;
      const { kind } = request.params;
      const { id = randomUUID(), expected_version: expectedVersion, body } = request.body;
      const written = readBody(kind, body, clock.now());
      requireOwnCluster(principal, written.matchers);
      const replaced = documents.get(tenant, kind, id)?.body;
      if (replaced !== undefined && replaced !== null) requireOwnCluster(principal, replaced.matchers);
      const held = documents.list(kind).filter((record) => record.tenant === tenant);
      if (held.length >= DOCUMENTS_PER_KIND && !held.some((record) => record.id === id)) {
        throw new AppError(
          'EYRIE_HTTP_BAD_REQUEST',
          `a tenant may have ${DOCUMENTS_PER_KIND} documents of kind ${kind}; remove some first`,
        );
      }
      const record = await documents.put({
        tenant,
        kind,
        id,
        body: written,
        author: name,
        ...(expectedVersion === undefined ? {} : { expectedVersion }),
      });
      return presentDocument(record);
    },
  );

  app.delete(
    '/v1/documents/:kind/:id',
    {
      config: { scope: 'triage' },
      schema: { tags, params: DocumentParam, querystring: DocumentDelete, response: { 200: ApiDocument, ...errors } },
    },
    async (request) => {
      const principal = principalOf(request);
      const { tenant, name } = principal;
      const { kind, id } = request.params;
      const held = documents.get(tenant, kind, id);
      if (held === undefined || held.body === null) throw notFound(kind, id);
      requireOwnCluster(principal, held.body.matchers);
      const { expected_version: expectedVersion = held.version } = request.query;
      return presentDocument(await documents.put({ tenant, kind, id, body: null, author: name, expectedVersion }));
    },
  );
}

function notFound(kind: WritableKind, id: string): AppError {
  return new AppError('EYRIE_HTTP_NOT_FOUND', `there is no ${kind} ${id}`);
}

/** @throws AppError EYRIE_HTTP_BAD_REQUEST with every problem and its place */
function readBody(kind: WritableKind, body: unknown, now: number): Silence | Exception {
  const read =
    kind === 'silence'
      ? parse(kind, DOCUMENT_INPUTS.silence, body, (input) => readSilence(input, now))
      : parse(kind, DOCUMENT_INPUTS.exception, body, readException);
  const problem = problemOfSpan(read, now);
  if (problem !== undefined) throw new AppError('EYRIE_HTTP_BAD_REQUEST', `${kind}: body/${problem}`);
  return read;
}

function parse<T, R>(kind: WritableKind, schema: z.ZodType<T>, body: unknown, read: (input: T) => R): R {
  const parsed = schema.safeParse(body);
  if (parsed.success) return read(parsed.data);
  const problems = parsed.error.issues.map(({ path, message }) => `body/${path.map(String).join('/')}: ${message}`);
  throw new AppError('EYRIE_HTTP_BAD_REQUEST', `${kind}: ${problems.join('; ')}`);
}
