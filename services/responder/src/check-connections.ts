import type { ClusterTarget, Connections, GitlabTarget, SlackTarget } from '@eyrie/platform/connections';
import type { HttpClient } from '@eyrie/platform/http-client';
import { gitlabRest } from './actions/gitlab/api.ts';
import { missingPermissions } from './actions/kubernetes/permissions.ts';
import { slackMethod } from './actions/slack-url.ts';
import { readObject } from './core/read-object.ts';
import type { permissionsOf } from './describe-actions.ts';

export interface ConnectionFinding {
  /** Such as `gitlab.main`, `clusters.default/prod-eu`. */
  readonly connection: string;
  readonly ok: boolean;
  /** What was found, or what is wrong and what to do. Holds no secrets. */
  readonly message: string;
}

const TIMEOUT_MS = 10_000;
/** Connections asked at once. */
const AT_ONCE = 8;

/**
 * Asks every connection whether it is there and lets us, without an effect: who a token is and what it may. PagerDuty and web
 * hooks have no such question; only that they answer is looked at.
 */
export async function checkConnections(
  connections: Connections,
  http: HttpClient,
  permissions: ReturnType<typeof permissionsOf>,
): Promise<readonly ConnectionFinding[]> {
  const asks: (() => Promise<ConnectionFinding>)[] = [
    ...[...connections.gitlab].map(
      ([name, target]) =>
        () =>
          told(`gitlab.${name}`, askGitlab(http, target)),
    ),
    ...[...connections.slack].map(
      ([name, target]) =>
        () =>
          told(`slack.${name}`, askSlack(http, target)),
    ),
    ...[...connections.webhooks].map(
      ([name, { url, network }]) =>
        () =>
          told(`webhooks.${name}`, reach(http, url, network)),
    ),
    ...[...connections.pagerduty].map(
      ([name, { url, network }]) =>
        () =>
          told(`pagerduty.${name}`, reach(http, url, network)),
    ),
    ...[...connections.falcosidekick].map(
      ([name, { url, network }]) =>
        () =>
          told(`falcosidekick.${name}`, reach(http, url, network)),
    ),
    ...[...connections.clusters].map(
      ([name, target]) =>
        () =>
          told(`clusters.${name}`, askCluster(http, target, permissions)),
    ),
  ];
  const findings: ConnectionFinding[] = [];
  for (let from = 0; from < asks.length; from += AT_ONCE) {
    findings.push(...(await Promise.all(asks.slice(from, from + AT_ONCE).map((ask) => ask()))));
  }
  return findings;
}

type Told = Omit<ConnectionFinding, 'connection'>;
const good = (message: string): Told => ({ ok: true, message });
const bad = (message: string): Told => ({ ok: false, message });

async function told(connection: string, asking: Promise<Told>): Promise<ConnectionFinding> {
  try {
    return { connection, ...(await asking) };
  } catch (error) {
    return { connection, ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

/** https://docs.gitlab.com/api/personal_access_tokens/#get-details-on-a-personal-access-token, also for tokens of projects. */
async function askGitlab(http: HttpClient, { url, token, network, projects }: GitlabTarget): Promise<Told> {
  const base = gitlabRest(url);
  const get = (path: string) =>
    http.send({
      url: `${base}/${path}`,
      method: 'GET',
      headers: { 'private-token': token, 'user-agent': 'eyrie' },
      network,
      timeoutMs: TIMEOUT_MS,
    });
  const self = await get('personal_access_tokens/self');
  if (self.status === 401) return bad('the token is refused: it was revoked, or it expired');
  if (self.status !== 200) return bad(`HTTP ${self.status}`);
  const { scopes = [], expires_at: expires } = (readObject(self.body) ?? {}) as {
    scopes?: readonly string[];
    expires_at?: string | null;
  };
  if (!scopes.includes('api')) return bad(`the token has the scopes ${scopes.join(', ')}; issues need api`);
  for (const project of projects) {
    const found = await get(`projects/${encodeURIComponent(project)}`);
    if (found.status === 404) return bad(`the token does not see the project ${project}`);
    if (found.status !== 200) return bad(`project ${project}: HTTP ${found.status}`);
  }
  return good(`scope api, ${projects.size} projects${expires ? `, valid until ${expires}` : ''}`);
}

/** https://docs.slack.dev/reference/methods/auth.test; scopes come in a header. */
async function askSlack(http: HttpClient, target: SlackTarget): Promise<Told> {
  if (target.kind === 'webhook') return reach(http, target.url, target.network);
  const answer = await http.send({
    url: slackMethod(target.apiUrl, 'auth.test'),
    method: 'POST',
    headers: { authorization: `Bearer ${target.token}`, 'user-agent': 'eyrie' },
    network: target.network,
    timeoutMs: TIMEOUT_MS,
  });
  const { ok, error, team } = (readObject(answer.body) ?? {}) as { ok?: boolean; error?: string; team?: string };
  if (answer.status !== 200 || ok !== true) return bad(`the token is refused: ${error ?? `HTTP ${answer.status}`}`);
  const scopes = (answer.headers['x-oauth-scopes'] ?? '').split(',').map((scope) => scope.trim());
  if (answer.headers['x-oauth-scopes'] !== undefined && !scopes.includes('chat:write')) {
    return bad(`the token has the scopes ${scopes.join(', ')}; messages need chat:write`);
  }
  return good(`team ${team ?? 'unknown'}`);
}

/** That something answers there, whatever it says to a look. */
async function reach(http: HttpClient, url: string, network: SlackTarget['network']): Promise<Told> {
  const answer = await http.send({
    url,
    method: 'GET',
    headers: { 'user-agent': 'eyrie' },
    network,
    timeoutMs: TIMEOUT_MS,
  });
  return good(
    `it answers (HTTP ${answer.status} to a look); whether it takes a message is not known before one is sent`,
  );
}

async function askCluster(
  http: HttpClient,
  target: ClusterTarget,
  permissions: ReturnType<typeof permissionsOf>,
): Promise<Told> {
  const missing = await missingPermissions(http, target, permissions, TIMEOUT_MS);
  if (missing.length === 0) return good(`all ${permissions.length} kinds of resources the rules need`);
  return bad(`the service account may not ${missing.join('; ')} (eyrie rules rbac prints the role)`);
}
