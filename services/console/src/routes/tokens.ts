import { AppError } from '@eyrie/platform/errors';
import { principalOf } from '@eyrie/platform/http/server';
import { certificateHolder, hashToken, mintToken } from '@eyrie/platform/tokens';
import { type DocumentRecord, msOfNanos, parseNanos, type TenantId } from '@eyrie/schemas';
import { ApiToken, ApiTokenMade, pageOf, TokenInput, TokenParam } from '@eyrie/schemas/api';
import type { App, Context } from '../context.ts';
import { isoOfMs } from '../core/present.ts';
import { errors } from './errors.ts';

const tags = ['tokens'];
/** Tokens a tenant may have. */
const TOKENS_PER_TENANT = 5_000;

/**
 * Tokens of the caller's own tenant. The text of a token is shown once; only its hash is kept. A client certificate may
 * stand for one.
 */
export function tokenRoutes(app: App, { documents, clock, operator }: Context): void {
  app.get(
    '/v1/tokens',
    { config: { scope: 'admin' }, schema: { tags, response: { 200: pageOf(ApiToken), ...errors } } },
    async (request) => {
      const { tenant, cluster: own } = principalOf(request);
      const items = documents
        .list('token')
        .filter((record) => record.tenant === tenant && (own === '*' || record.body?.cluster === own));
      return { items: items.flatMap(present) };
    },
  );

  app.post(
    '/v1/tokens',
    {
      config: { scope: 'admin' },
      schema: { tags, body: TokenInput, response: { 200: ApiTokenMade, ...errors } },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { name: author, cluster: own } = principal;
      const { name, cluster, scopes, person, expires_at, certificate_sha256: certificate } = request.body;
      const tenant = (request.body.tenant ?? principal.tenant) as TenantId;
      if (tenant !== principal.tenant && (principal.tenant !== operator || own !== '*')) {
        throw new AppError('EYRIE_HTTP_FORBIDDEN', 'only the operator makes tokens of another tenant');
      }
      if (own !== '*' && cluster !== own) {
        throw new AppError('EYRIE_HTTP_FORBIDDEN', `your token is bound to the cluster ${own}; so are those it makes`);
      }
      const ends = expires_at === undefined ? undefined : parseNanos(expires_at);
      const expiresAt = ends === undefined ? undefined : msOfNanos(ends);
      if (expiresAt !== undefined && expiresAt <= clock.now()) {
        throw new AppError('EYRIE_HTTP_BAD_REQUEST', 'body/expires_at lies in the past');
      }
      if (documents.list('token').filter((record) => record.tenant === tenant).length >= TOKENS_PER_TENANT) {
        throw new AppError(
          'EYRIE_HTTP_BAD_REQUEST',
          `a tenant may have ${TOKENS_PER_TENANT} tokens; revoke some first`,
        );
      }
      const held = documents.get(tenant, 'token', name);
      if (held !== undefined && held.body !== null) {
        throw new AppError('EYRIE_HTTP_CONFLICT', `there is a token ${name}; revoke it first or choose another name`);
      }
      if (certificate !== undefined && certificateHolder(documents, certificate) !== undefined) {
        throw new AppError('EYRIE_HTTP_CONFLICT', 'this certificate stands for a token already; revoke that first');
      }
      const token = certificate === undefined ? mintToken() : undefined;
      const record = await documents.put({
        tenant,
        kind: 'token',
        id: name,
        author,
        expectedVersion: held?.version ?? 0,
        body: {
          name,
          ...(token === undefined ? {} : { sha256: hashToken(token) }),
          ...(certificate === undefined ? {} : { certificate_sha256: certificate }),
          cluster,
          scopes,
          ...(person === undefined ? {} : { person }),
          ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
        },
      });
      const [made] = present(record);
      if (made === undefined) throw new AppError('EYRIE_INTERNAL', 'the token made is not there');
      void reply.header('cache-control', 'no-store');
      return { ...made, ...(token === undefined ? {} : { token }) };
    },
  );

  app.delete(
    '/v1/tokens/:name',
    { config: { scope: 'admin' }, schema: { tags, params: TokenParam, response: { 200: ApiToken, ...errors } } },
    async (request) => {
      const { tenant, name: author, cluster: own } = principalOf(request);
      const held = documents.get(tenant, 'token', request.params.name);
      const [token] = held === undefined ? [] : present(held);
      if (held === undefined || token === undefined) {
        throw new AppError('EYRIE_HTTP_NOT_FOUND', `there is no token ${request.params.name}`);
      }
      if (own !== '*' && token.cluster !== own) {
        throw new AppError(
          'EYRIE_HTTP_FORBIDDEN',
          `your token is bound to the cluster ${own}; so are those it revokes`,
        );
      }
      const sha256 = held.body?.sha256;
      await documents.put({
        tenant,
        kind: 'token',
        id: held.id,
        body: null,
        author,
        ...(sha256 !== undefined && { revoked_sha256: sha256 }),
        expectedVersion: held.version,
      });
      return token;
    },
  );
}

function present({ body, at, author }: DocumentRecord<'token'>) {
  if (body === null) return [];
  const { name, cluster, scopes, expires_at, certificate_sha256 } = body;
  const expiry = expires_at === undefined ? {} : { expires_at: isoOfMs(expires_at) };
  const certificate = certificate_sha256 === undefined ? {} : { certificate_sha256 };
  return [
    { name, cluster, scopes: [...scopes], ...expiry, ...certificate, created_at: isoOfMs(at), created_by: author },
  ];
}
