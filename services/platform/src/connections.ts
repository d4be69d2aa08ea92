import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConnectionsFile } from '@eyrie/schemas/connection';
import { AppError } from './errors.ts';
import { parseHeaders } from './http/header-lines.ts';
import type { Network } from './http-client.ts';
import { readYamlFile } from './yaml-file.ts';

export type SlackTarget = {
  readonly network: Network;
  readonly channel?: string;
  readonly approvals?: SlackApprovals;
  /** Every channel that the owner of a namespace may name. */
  readonly channels: ReadonlySet<string>;
} & (
  | { readonly kind: 'webhook'; readonly url: string }
  | { readonly kind: 'token'; readonly apiUrl: string; readonly token: string }
);

/** Who may answer with buttons. */
export interface SlackApprovals {
  readonly signingSecret: string;
  readonly teamId: string;
  readonly tenant: string;
  /** Person by Slack user. */
  readonly users: ReadonlyMap<string, string>;
}

export interface WebhookTarget {
  readonly url: string;
  /** Key of the signature. */
  readonly secret: Buffer;
  readonly network: Network;
}

export interface GitlabTarget {
  readonly url: string;
  readonly token: string;
  readonly project?: string;
  /** Every project a rule may name. */
  readonly projects: ReadonlySet<string>;
  readonly network: Network;
}

export interface GitlabAlertsTarget {
  readonly url: string;
  readonly key: string;
  readonly network: Network;
}

export interface PagerdutyTarget {
  readonly url: string;
  readonly routingKey: string;
  readonly network: Network;
}

export interface FalcosidekickTarget {
  readonly url: string;
  /** For a proxy before it. */
  readonly headers: Readonly<Record<string, string>>;
  readonly network: Network;
}

export interface ClusterTarget {
  readonly server: string;
  readonly ca?: string;
  /** Absolute; tokens of service accounts are renewed in place. */
  readonly tokenFile: string;
  readonly network: Network;
}

/** Where actions may reach, by name. Holds secrets: never logged. */
export interface Connections {
  readonly slack: ReadonlyMap<string, SlackTarget>;
  readonly webhooks: ReadonlyMap<string, WebhookTarget>;
  readonly gitlab: ReadonlyMap<string, GitlabTarget>;
  readonly gitlabAlerts: ReadonlyMap<string, GitlabAlertsTarget>;
  readonly pagerduty: ReadonlyMap<string, PagerdutyTarget>;
  readonly falcosidekick: ReadonlyMap<string, FalcosidekickTarget>;
  /** Key: `clusterKey`. */
  readonly clusters: ReadonlyMap<string, ClusterTarget>;
}

/** Two tenants may call a cluster the same. */
export function clusterKey(tenant: string, cluster: string): string {
  return `${tenant}/${cluster}`;
}

export const NO_CONNECTIONS: Connections = {
  slack: new Map(),
  webhooks: new Map(),
  gitlab: new Map(),
  gitlabAlerts: new Map(),
  pagerduty: new Map(),
  falcosidekick: new Map(),
  clusters: new Map(),
};

/** Reads `EYRIE_CONNECTIONS_FILE`; paths of secrets are relative to it. @throws AppError EYRIE_CONNECTION_INVALID with all problems */
export function readConnections(file: string): Connections {
  const problems: string[] = [];
  const parsed = ConnectionsFile.safeParse(readYamlFile(file, (problem) => invalid(file, [problem])));
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(`${issue.path.join('.') || '(file)'}: ${issue.message}`);
    throw invalid(file, problems);
  }
  const secret = (path: string, at: string): string => {
    try {
      const text = readFileSync(resolve(dirname(file), path), 'utf8').trim();
      if (text === '') problems.push(`${at}: ${path} is empty`);
      return text;
    } catch {
      problems.push(`${at}: cannot read ${path}`);
      return '';
    }
  };

  const slack = new Map<string, SlackTarget>();
  for (const [name, entry] of Object.entries(parsed.data.slack)) {
    const { approvals } = entry;
    const own = entry.channel === undefined ? [] : [entry.channel];
    const channels = new Set([...(entry.channels ?? []), ...own]);
    const common = {
      network: entry.network,
      channels,
      ...(entry.channel !== undefined && { channel: entry.channel }),
      ...(approvals !== undefined && {
        approvals: {
          signingSecret: secret(approvals.signing_secret_file, `slack.${name}.approvals.signing_secret_file`),
          teamId: approvals.team_id,
          tenant: approvals.tenant,
          users: new Map(Object.entries(approvals.users)),
        },
      }),
    };
    if (entry.webhook_url_file !== undefined) {
      const at = `slack.${name}.webhook_url_file`;
      const url = secret(entry.webhook_url_file, at);
      if (url !== '' && !isHttpUrl(url)) problems.push(`${at}: holds no http or https URL`);
      slack.set(name, { ...common, kind: 'webhook', url });
    } else if (entry.token_file !== undefined) {
      const token = secret(entry.token_file, `slack.${name}.token_file`);
      if (/[^\x21-\x7e]/.test(token)) problems.push(`slack.${name}.token_file: holds no token`);
      slack.set(name, { ...common, kind: 'token', apiUrl: entry.api_url, token });
    }
  }
  const webhooks = new Map<string, WebhookTarget>();
  for (const [name, { url, secret_file: path, network }] of Object.entries(parsed.data.webhooks)) {
    const at = `webhooks.${name}.secret_file`;
    const text = secret(path, at);
    const key = /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text.slice(6), 'base64') : Buffer.alloc(0);
    if (text !== '' && (key.length < 24 || key.length > 64)) {
      problems.push(`${at}: must hold whsec_ and the base64 of 24 to 64 bytes`);
    }
    webhooks.set(name, { url, secret: key, network });
  }
  const gitlab = new Map<string, GitlabTarget>();
  for (const [name, { url, token_file: path, project, projects = [], network }] of Object.entries(parsed.data.gitlab)) {
    const token = secret(path, `gitlab.${name}.token_file`);
    if (/[^\x21-\x7e]/.test(token)) problems.push(`gitlab.${name}.token_file: holds no token`);
    const all = new Set([...projects, ...(project === undefined ? [] : [project])]);
    gitlab.set(name, { url, token, projects: all, network, ...(project !== undefined && { project }) });
  }
  const gitlabAlerts = new Map<string, GitlabAlertsTarget>();
  for (const [name, { url, key_file: path, network }] of Object.entries(parsed.data.gitlab_alerts)) {
    const key = secret(path, `gitlab_alerts.${name}.key_file`);
    if (/[^\x21-\x7e]/.test(key)) problems.push(`gitlab_alerts.${name}.key_file: holds no key`);
    gitlabAlerts.set(name, { url, key, network });
  }
  const pagerduty = new Map<string, PagerdutyTarget>();
  for (const [name, { url, routing_key_file: path, network }] of Object.entries(parsed.data.pagerduty)) {
    const routingKey = secret(path, `pagerduty.${name}.routing_key_file`);
    if (routingKey !== '' && !/^[A-Za-z0-9]{32}$/.test(routingKey)) {
      problems.push(`pagerduty.${name}.routing_key_file: must hold the 32 characters of an integration key`);
    }
    pagerduty.set(name, { url, routingKey, network });
  }
  const falcosidekick = new Map<string, FalcosidekickTarget>();
  for (const [name, entry] of Object.entries(parsed.data.falcosidekick)) {
    const { url, token_file: tokenFile, headers_file: headersFile, network } = entry;
    const at = `falcosidekick.${name}`;
    let headers: Readonly<Record<string, string>> = {};
    if (tokenFile !== undefined) {
      const token = secret(tokenFile, `${at}.token_file`);
      if (/[^\x21-\x7e]/.test(token)) problems.push(`${at}.token_file: holds no token`);
      headers = { authorization: `Bearer ${token}` };
    } else if (headersFile !== undefined) {
      const read = parseHeaders(secret(headersFile, `${at}.headers_file`));
      if (read === undefined)
        problems.push(`${at}.headers_file: must hold up to 20 lines "Name: value", none of them ours`);
      headers = read ?? {};
    }
    falcosidekick.set(name, { url, headers, network });
  }
  const clusters = new Map<string, ClusterTarget>();
  for (const [
    index,
    { tenant, cluster, server, ca_file: caFile, token_file: path, network },
  ] of parsed.data.clusters.entries()) {
    const at = `clusters.${index}`;
    const key = clusterKey(tenant, cluster);
    if (clusters.has(key)) problems.push(`${at}: ${key} stands twice`);
    if (!server.startsWith('https:')) problems.push(`${at}.server: must be https: a token goes there`);
    const ca = caFile === undefined ? undefined : secret(caFile, `${at}.ca_file`);
    secret(path, `${at}.token_file`);
    clusters.set(key, { server, tokenFile: resolve(dirname(file), path), network, ...(ca !== undefined && { ca }) });
  }
  if (problems.length > 0) throw invalid(file, problems);
  return { slack, webhooks, gitlab, gitlabAlerts, pagerduty, falcosidekick, clusters };
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:');
}

function invalid(file: string, problems: readonly string[]): AppError {
  return new AppError('EYRIE_CONNECTION_INVALID', problems.map((problem) => `${file}: ${problem}`).join('; '));
}
