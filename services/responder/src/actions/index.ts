import { tmpdir } from 'node:os';
import type { Clock } from '@eyrie/platform/clock';
import type { Connections } from '@eyrie/platform/connections';
import type { HttpClient } from '@eyrie/platform/http-client';
import type { Policy } from '../core/policy/policy.ts';
import type { Scripts } from '../scripts.ts';
import type { Actions } from './action.ts';
import { falcosidekickForward } from './falcosidekick-forward.ts';
import { gitlabAlert } from './gitlab/alert.ts';
import { gitlabIssue } from './gitlab/issue.ts';
import { kubernetesCordon } from './kubernetes/cordon.ts';
import { kubernetesAnnotate, kubernetesLabel } from './kubernetes/metadata.ts';
import { kubernetesQuarantine } from './kubernetes/quarantine.ts';
import { kubernetesTerminate } from './kubernetes/terminate.ts';
import type { ActionMemory } from './memory.ts';
import { pagerdutyEvent } from './pagerduty-event.ts';
import { shellScript } from './shell-script.ts';
import { slackMessage } from './slack-message.ts';
import { webhookPost } from './webhook-post.ts';

interface ActionOptions {
  readonly scriptsMax: number;
  readonly scratchDir?: string;
  readonly provesActions?: boolean;
}

/** Everything a rule can do. */
export function createActions(
  {
    connections,
    scripts,
    http,
    clock,
    policy,
    memory,
  }: {
    connections: Connections;
    scripts: Scripts;
    http: HttpClient;
    clock: Clock;
    policy: Policy;
    memory: ActionMemory;
  },
  { scriptsMax, scratchDir, provesActions = true }: ActionOptions,
): Actions {
  const cluster = { connections, http, policy };
  const actions: Actions = {
    'falcosidekick:forward': falcosidekickForward(connections, http),
    'gitlab:alert': gitlabAlert(connections, http),
    'gitlab:issue': gitlabIssue(connections, http, memory.owners),
    'kubernetes:annotate': kubernetesAnnotate(cluster),
    'kubernetes:cordon': kubernetesCordon(cluster),
    'kubernetes:label': kubernetesLabel(cluster),
    'kubernetes:quarantine': kubernetesQuarantine(cluster),
    'kubernetes:terminate': kubernetesTerminate(cluster),
    'pagerduty:event': pagerdutyEvent(connections, http),
    'shell:script': shellScript(scripts, scriptsMax, scratchDir ?? tmpdir()),
    'slack:message': slackMessage(connections, http, memory),
    'webhook:post': webhookPost(connections, http, clock),
  };
  if (provesActions) return actions;
  return Object.fromEntries(Object.entries(actions).map(([name, action]) => [name, { ...action, provable: false }]));
}
