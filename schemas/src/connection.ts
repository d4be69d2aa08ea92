import { z } from 'zod';

/**
 * `EYRIE_CONNECTIONS_FILE`: where actions may reach, by name. Secrets lie in files of their own, so that the file with
 * the names can be read by anyone.
 */
const name = z.string().regex(/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 of a-z, 0-9, ".", "_", "-"');
const file = z.string().min(1).max(4_096);
const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).refine((value) => {
  const { username, password } = new URL(value);
  return username === '' && password === '';
}, 'must not hold a user or password');
const network = z
  .enum(['public', 'private'])
  .default('public')
  .describe('public: addresses of private networks are refused.');

export const SlackConnection = z
  .strictObject({
    webhook_url_file: file.exactOptional().describe('File with the URL of an incoming webhook.'),
    token_file: file.exactOptional().describe('File with a bot token (chat:write).'),
    api_url: url.default('https://slack.com/api/'),
    channel: z.string().min(1).max(80).exactOptional().describe('Default channel, with a token.'),
    approvals: z
      .strictObject({
        signing_secret_file: file.describe('File with the signing secret of the Slack app.'),
        team_id: z.string().regex(/^[TE][A-Z0-9]{2,20}$/, 'must be such as T0123ABCD'),
        tenant: name.default('default').describe('Whose plans are approved from there.'),
        users: z
          .record(z.string().regex(/^[UW][A-Z0-9]{2,20}$/, 'must be such as U0123ABCD'), z.string().min(1).max(200))
          .describe('Which person a Slack user is, as `person` of tokens.'),
      })
      .exactOptional()
      .describe('Buttons: Slack sends to /v1/slack/interactions of the API.'),
    channels: z
      .array(z.string().min(1).max(80))
      .min(1)
      .max(1_000)
      .exactOptional()
      .describe('Others that the owner of a namespace may name; none unless listed. With a token.'),
    network,
  })
  .refine(
    (slack) => (slack.webhook_url_file === undefined) !== (slack.token_file === undefined),
    'needs either webhook_url_file or token_file',
  )
  .refine(
    (slack) => slack.channels === undefined || slack.token_file !== undefined,
    'channels need a token: an incoming webhook has its own',
  );

export const WebhookConnection = z.strictObject({
  url,
  secret_file: file.describe('File with the signing secret: whsec_ and base64 of 24 to 64 bytes.'),
  network,
});

const project = z
  .string()
  .regex(
    /^(?:\d{1,12}|[A-Za-z0-9_][\w.-]*(?:\/[A-Za-z0-9_][\w.-]*)+)$/,
    'must be such as group/project, or its number',
  );

export const GitlabConnection = z.strictObject({
  url: url.describe('Of the instance, such as https://gitlab.com.'),
  token_file: file.describe('File with an access token of scope api, best of a project.'),
  project: project.exactOptional().describe('Where issues go unless a rule says otherwise.'),
  projects: z.array(project).min(1).max(1_000).exactOptional().describe('Others a rule may name; none unless listed.'),
  network,
});

export const PagerdutyConnection = z.strictObject({
  routing_key_file: file.describe('File with the integration key of a service (Events API v2).'),
  url: url
    .default('https://events.pagerduty.com/v2/enqueue')
    .describe('EU: https://events.eu.pagerduty.com/v2/enqueue.'),
  network,
});

/** The API server of a cluster whose events may be answered. Its name is the one events carry. */
export const ClusterConnection = z.strictObject({
  tenant: name.default('default'),
  cluster: z.string().min(1).max(253).describe('As the intake token or the event names it.'),
  server: url.describe('Such as https://10.0.0.1:6443; within the cluster https://kubernetes.default.svc.'),
  ca_file: file.exactOptional().describe('Certificate authority of the server, PEM.'),
  token_file: file.describe('File with the bearer token of a service account; read anew for each request.'),
  network: network.default('private'),
});

export const FalcosidekickConnection = z
  .strictObject({
    url: url.describe('Where it listens, such as http://falcosidekick.falco:2801/.'),
    token_file: file
      .exactOptional()
      .describe('File with a bearer token, for a proxy before it; it asks for none itself.'),
    headers_file: file.exactOptional().describe('File with headers, one "Name: value" a line, for such a proxy.'),
    network,
  })
  .refine(
    (sidekick) => sidekick.token_file === undefined || sidekick.headers_file === undefined,
    'takes either token_file or headers_file',
  );

export const GitlabAlertsConnection = z.strictObject({
  url: url.describe('Of the HTTP integration: …/alerts/notify/<name>/<id>.json.'),
  key_file: file.describe('File with the authorization key of the integration.'),
  network,
});

export const ConnectionsFile = z.strictObject({
  version: z.literal(1, 'must be 1'),
  slack: z.record(name, SlackConnection).default({}),
  webhooks: z.record(name, WebhookConnection).default({}),
  gitlab: z.record(name, GitlabConnection).default({}),
  gitlab_alerts: z.record(name, GitlabAlertsConnection).default({}),
  pagerduty: z.record(name, PagerdutyConnection).default({}),
  falcosidekick: z.record(name, FalcosidekickConnection).default({}),
  clusters: z.array(ClusterConnection).max(1_000).default([]),
});
export type ConnectionsFile = z.output<typeof ConnectionsFile>;
