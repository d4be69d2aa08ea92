import type { Connections } from '@eyrie/platform/connections';
import type { HttpClient } from '@eyrie/platform/http-client';
import { Duration } from '@eyrie/schemas/rule';
import { z } from 'zod';
import type { Call, EffectResult } from '../../core/owner/decision.ts';
import type { Checked } from '../../core/rules/compiled.ts';
import { type Action, problemsOf } from '../action.ts';
import { type NamespaceOwners, NO_CLUSTERS, OWNER } from '../namespace-owner.ts';
import { subjectKey } from '../subject.ts';
import { type GitlabApi, gitlabApi } from './api.ts';
import { hasMarker, issueDescription, issueTitle, marker, occurrences } from './description.ts';

const LABEL = 'eyrie';
const label = z.string().regex(/^[^,\r\n]{1,200}$/, 'must be a label without comma');

const Parameters = z.strictObject({
  connection: z.string().min(1).max(64),
  project: z
    .string()
    .min(1)
    .max(255)
    .exactOptional()
    .describe('`owner`: that of the annotation eyrie.dev/gitlab-project of the namespace.'),
  labels: z.array(label).max(20).default([]),
  confidential: z.boolean().default(true),
  issue_type: z.enum(['issue', 'incident']).default('issue'),
  reopen_within: Duration.prefault('7d').describe('An issue closed so lately is opened again.'),
});
/** As the rule has them: `reopen_within` in milliseconds. */
const RuleParameters = Parameters.extend({ reopen_within: z.number() });
type Parameters = z.output<typeof RuleParameters>;

const Issues = z.array(
  z.looseObject({
    iid: z.number().int(),
    description: z.string().nullable(),
    web_url: z.string(),
    state: z.enum(['opened', 'closed']),
    closed_at: z.string().nullish(),
  }),
);
type Issue = z.output<typeof Issues>[number];
const Notes = z.array(z.looseObject({ id: z.number().int(), body: z.string() }));

/**
 * Opens an issue, or tells the one there is that it occurred again. GitLab knows no repeats: what is there is looked for by lines
 * of ours before anything is written, so a repeat after a lost answer finds what the first try made.
 */
export function gitlabIssue(connections: Connections, http: HttpClient, owners: NamespaceOwners): Action {
  return {
    summary: 'Opens a GitLab issue for the alert, or adds to the one its rule and workload have.',
    class: 0,
    parameters: Parameters,
    recovery: 'repeat',
    timeoutMs: { standard: 20_000, maximum: 60_000 },
    check: (written) => checkParameters(connections, written),
    run: async (call, signal) => {
      const parameters = RuleParameters.parse(call.action.parameters);
      const target = connections.gitlab.get(parameters.connection);
      if (target === undefined) return { kind: 'failed', reason: 'connection_gone' };
      const ask = { annotation: 'eyrie.dev/gitlab-project', allowed: target.projects } as const;
      const { project: written } = parameters;
      const named = written === OWNER ? await owners.resolve({ connections, http }, call, ask, signal) : written;
      const project = named ?? target.project;
      if (project === undefined) return { kind: 'failed', reason: 'connection_gone' };
      const api = gitlabApi(http, target, project, { timeoutMs: call.action.timeoutMs, signal });
      return keepIssue(api, call, parameters);
    },
  };
}

function checkParameters({ gitlab, clusters }: Connections, written: Readonly<Record<string, unknown>>): Checked {
  const parsed = Parameters.safeParse(written);
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error) };
  const { connection, project } = parsed.data;
  const refuse = (field: string, message: string): Checked => ({ ok: false, problems: [{ field, message }] });
  const target = gitlab.get(connection);
  if (target === undefined) return refuse('connection', `there is no gitlab connection "${connection}"`);
  if (project === OWNER && clusters.size === 0) return refuse('project', NO_CLUSTERS);
  const place = project === OWNER ? target.project : (project ?? target.project);
  if (place === undefined) return refuse('project', 'neither the rule nor the connection names one');
  if (!target.projects.has(place)) {
    return refuse('project', `"${place}" is none of the connection's projects: ${[...target.projects].join(', ')}`);
  }
  const lane = { name: `gitlab/${connection}/${project ?? place}`, max: 1, intervalMs: 0 };
  return { ok: true, class: 0, parameters: parsed.data, lane };
}

async function keepIssue(api: GitlabApi, call: Call, parameters: Parameters): Promise<EffectResult> {
  const subject = subjectKey(call);
  const found = await api.look('/issues', { labels: LABEL, search: subject, in: 'description', per_page: '50' });
  if (found.kind === 'result') return found.result;
  const parsed = Issues.safeParse(found.body);
  if (!parsed.success) return { kind: 'retry', reason: 'bad_answer', detail: 'the answer is no list of issues' };
  const ours = parsed.data.filter(({ description }) => hasMarker(description ?? '', marker('subject', subject)));
  const made = ours.find(({ description }) => hasMarker(description ?? '', marker('intent', call.intent.intent_key)));
  if (made !== undefined) return done(made);
  const since = call.plan.at - parameters.reopen_within;
  const held =
    ours.find(({ state }) => state === 'opened') ?? ours.find(({ closed_at: at }) => Date.parse(at ?? '') >= since);
  if (held === undefined) return openIssue(api, call, subject, parameters);
  if (held.state === 'closed') {
    const reopened = await api.change('PUT', `/issues/${held.iid}`, { state_event: 'reopen' });
    if (reopened.kind === 'result') return reopened.result;
  }
  return tellAgain(api, call, subject, held);
}

async function openIssue(
  api: GitlabApi,
  call: Call,
  subject: string,
  { labels, confidential, issue_type: type }: Parameters,
): Promise<EffectResult> {
  const made = await api.change('POST', '/issues', {
    title: issueTitle(call),
    description: issueDescription(call, subject),
    labels: [LABEL, ...labels].join(','),
    confidential,
    issue_type: type,
  });
  if (made.kind === 'result') return made.result;
  const parsed = Issues.element.safeParse(made.body);
  return parsed.success ? done(parsed.data) : { kind: 'ambiguous', reason: 'bad_answer', detail: 'no issue came back' };
}

/** One note that grows, instead of one for each alert. */
async function tellAgain(api: GitlabApi, call: Call, subject: string, issue: Issue): Promise<EffectResult> {
  const path = `/issues/${issue.iid}/notes`;
  const found = await api.look(path, { sort: 'desc', order_by: 'updated_at', per_page: '100' });
  if (found.kind === 'result') return found.result;
  const parsed = Notes.safeParse(found.body);
  if (!parsed.success) return { kind: 'retry', reason: 'bad_answer', detail: 'the answer is no list of notes' };
  const note = parsed.data.find(({ body }) => hasMarker(body, marker('occurrences', subject)));
  const body = occurrences(note?.body ?? '', call, subject);
  if (body === undefined) return done(issue);
  const told =
    note === undefined
      ? await api.change('POST', path, { body })
      : await api.change('PUT', `${path}/${note.id}`, { body });
  return told.kind === 'result' ? told.result : done(issue);
}

function done({ iid, web_url: url }: Issue): EffectResult {
  return { kind: 'succeeded', detail: `#${iid} ${url.slice(0, 500)}` };
}
