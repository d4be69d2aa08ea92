import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '@eyrie/platform/testing/authority';

export interface KubernetesObject {
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
  readonly [more: string]: unknown;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly contentType: string;
}

/** Of a real API server, what actions ask of it, with its statuses and bodies; over TLS, with tokens. */
export interface FakeKubernetes {
  readonly server: string;
  readonly ca: string;
  /** By path, such as `/api/v1/namespaces/shop/pods/web-0`. Tests put and take. */
  readonly objects: Map<string, KubernetesObject>;
  readonly asked: readonly Asked[];
  /** Disruption budgets that allow nothing, by the path of the pod: so many of them. */
  readonly budgets: Map<string, number>;
  /** Refused with 403: `delete pods`, `create pods/eviction`, … */
  readonly forbidden: Set<string>;
  /** Answers every request with that status instead; 0 breaks the connection, and -1 after it had its effect. */
  fault: number | undefined;
  /** Refuses connections, until it is up again at the same address. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** As it was at first: empty. */
  reset(): void;
  close(): Promise<void>;
}

export const FAKE_TOKEN = 'token-of-a-service-account';

interface Reply {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function fakeKubernetes(): Promise<FakeKubernetes> {
  const authority = createAuthority();
  const objects = new Map<string, KubernetesObject>();
  const budgets = new Map<string, number>();
  const forbidden = new Set<string>();
  const asked: Asked[] = [];
  const fake = { objects, asked, budgets, forbidden, fault: undefined as number | undefined };
  const server: Server = createServer(
    { key: authority.read('server.key'), cert: authority.read('server.pem') },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = new URL(request.url ?? '', 'https://x');
        const text = Buffer.concat(chunks).toString();
        const one: Asked = {
          method: request.method ?? '',
          path: decodeURIComponent(url.pathname),
          query: url.searchParams,
          body: text === '' ? {} : (JSON.parse(text) as Asked['body']),
          contentType: request.headers['content-type'] ?? '',
        };
        asked.push(one);
        const { fault } = fake;
        if (fault === 0) return void request.socket.destroy();
        const isKnown = request.headers.authorization === `Bearer ${FAKE_TOKEN}`;
        const reply = fault !== undefined && fault > 0 ? status(fault, '', 'out of order') : answer(fake, one, isKnown);
        if (fake.fault === -1) return void request.socket.destroy();
        response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
        response.end(JSON.stringify(reply.body));
      });
    },
  );
  const listen = (at: number) => new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  // One object: who sets a fault sets it here.
  return Object.assign(fake, {
    server: `https://127.0.0.1:${port}`,
    ca: authority.read('ca.pem'),
    down: stop,
    up: () => listen(port),
    reset: () => {
      objects.clear();
      budgets.clear();
      forbidden.clear();
      asked.length = 0;
      fake.fault = undefined;
    },
    close: async () => {
      await stop();
      rmSync(authority.directory, { recursive: true, force: true });
    },
  });
}

type Fake = Pick<FakeKubernetes, 'objects' | 'budgets' | 'forbidden'>;

function answer(fake: Fake, asked: Asked, isKnown: boolean): Reply {
  if (!isKnown) return status(401, 'Unauthorized', 'Unauthorized');
  const { verb, resource, object } = meaning(asked);
  if (resource === 'selfsubjectaccessreviews') return review(fake, asked);
  if (fake.forbidden.has(`${verb} ${resource}`)) {
    const message = `${resource} "${object}" is forbidden: User "eyrie" cannot ${verb} resource "${resource}"`;
    return status(403, 'Forbidden', message);
  }
  const isEviction = resource === 'pods/eviction';
  const path = isEviction ? asked.path.replace(/\/eviction$/, '') : asked.path;
  if (verb === 'list') return list(fake, path);
  if (verb === 'create' && !isEviction) return create(fake, asked);
  const found = fake.objects.get(path);
  if (found === undefined) return status(404, 'NotFound', `${resource.split('/')[0]} "${object}" not found`);
  if (isEviction) return evict(fake, path, found, asked);
  if (verb === 'get') return { status: 200, body: found };
  if (verb === 'delete') return remove(fake, path, found, asked.body);
  return patch(fake, path, found, asked);
}

/** Everybody may ask what they may. */
function review({ forbidden }: Fake, { body }: Asked): Reply {
  const { resourceAttributes: asked } = body['spec'] as {
    readonly resourceAttributes: { readonly verb: string; readonly resource: string; readonly subresource?: string };
  };
  const resource = asked.subresource === undefined ? asked.resource : `${asked.resource}/${asked.subresource}`;
  return { status: 201, body: { ...body, status: { allowed: !forbidden.has(`${asked.verb} ${resource}`) } } };
}

function meaning({ method, path }: Asked): { verb: string; resource: string; object: string } {
  const parts = path.split('/').filter(Boolean);
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const [resource = '', object = '', sub] = rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest;
  const verbs: Readonly<Record<string, string>> = {
    GET: object === '' ? 'list' : 'get',
    POST: 'create',
    PATCH: 'patch',
    DELETE: 'delete',
  };
  return { verb: verbs[method] ?? method, resource: sub === undefined ? resource : `${resource}/${sub}`, object };
}

function list({ objects }: Fake, path: string): Reply {
  const items = [...objects].filter(([key]) => key.startsWith(`${path}/`)).map(([, object]) => object);
  return { status: 200, body: { kind: 'List', metadata: { resourceVersion: '1' }, items } };
}

let made = 0;

function create({ objects }: Fake, { path, body, query }: Asked): Reply {
  const metadata = body['metadata'] as { readonly name: string };
  const key = `${path}/${metadata.name}`;
  const kind = path.split('/').at(-1) ?? '';
  if (objects.has(key)) {
    return status(409, 'AlreadyExists', `${kind}.networking.k8s.io "${metadata.name}" already exists`);
  }
  made += 1;
  const object = { ...body, metadata: { ...metadata, uid: `made-${made}`, resourceVersion: '1' } };
  if (query.get('dryRun') !== 'All') objects.set(key, object);
  return { status: 201, body: object };
}

/** Bypassed by nothing, asked after nobody: a deletion ignores disruption budgets. */
function remove({ objects }: Fake, path: string, found: KubernetesObject, options: Asked['body']): Reply {
  const mismatch = precondition(found, options);
  if (mismatch !== undefined) return mismatch;
  if (options['dryRun'] === undefined) objects.delete(path);
  return {
    status: 200,
    body: { ...found, metadata: { ...found.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
  };
}

/** The budget is asked before the precondition. */
function evict(fake: Fake, path: string, found: KubernetesObject, { body }: Asked): Reply {
  const refusing = fake.budgets.get(path) ?? 0;
  if (refusing > 1)
    return status(
      500,
      '',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  if (refusing === 1) {
    return status(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
      causes: [
        { reason: 'DisruptionBudget', message: 'The disruption budget pdb needs 3 healthy pods and has 3 currently' },
      ],
    });
  }
  const removed = remove(fake, path, found, (body['deleteOptions'] ?? {}) as Asked['body']);
  return removed.status === 200 ? { status: 201, body: { kind: 'Status', status: 'Success', code: 201 } } : removed;
}

function precondition({ metadata }: KubernetesObject, options: Asked['body']): Reply | undefined {
  const { uid } = (options['preconditions'] ?? {}) as { readonly uid?: string };
  if (uid === undefined || uid === metadata.uid) return undefined;
  const message = `Operation cannot be fulfilled on Pod "${metadata.name}": the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
  return status(409, 'Conflict', message, { name: metadata.name, kind: 'Pod' });
}

function patch({ objects }: Fake, path: string, found: KubernetesObject, { body, contentType, query }: Asked): Reply {
  if (contentType !== 'application/merge-patch+json') return status(415, 'UnsupportedMediaType', 'wrong content type');
  const { uid, resourceVersion } = (body['metadata'] ?? {}) as {
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
  if (uid !== undefined && uid !== found.metadata.uid) {
    return status(
      422,
      'Invalid',
      `Pod "${found.metadata.name}" is invalid: metadata.uid: Invalid value: field is immutable`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== found.metadata.resourceVersion) {
    const message = `Operation cannot be fulfilled on "${found.metadata.name}": the object has been modified; please apply your changes to the latest version and try again`;
    return status(409, 'Conflict', message);
  }
  const merged = merge(found, body) as KubernetesObject;
  const version = String(Number(found.metadata.resourceVersion) + 1);
  const object = { ...merged, metadata: { ...merged.metadata, resourceVersion: version } };
  if (query.get('dryRun') !== 'All') objects.set(path, object);
  return { status: 200, body: object };
}

/** RFC 7386. */
function merge(target: unknown, change: unknown): unknown {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) return change;
  const merged = new Map(Object.entries(typeof target === 'object' && target !== null ? target : {}));
  for (const [name, value] of Object.entries(change)) {
    if (value === null) merged.delete(name);
    else merged.set(name, merge(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

function status(code: number, reason: string, message: string, details?: object): Reply {
  return {
    status: code,
    body: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details && { details }),
      code,
    },
  };
}
