import type { Answer, Received } from './fakes.ts';

export interface FakeIssue {
  readonly iid: number;
  title: string;
  description: string;
  labels: readonly string[];
  confidential: boolean;
  issue_type: string;
  state: 'opened' | 'closed';
  closed_at: string | null;
  readonly web_url: string;
  readonly notes: { readonly id: number; body: string }[];
}

export const GITLAB_TOKEN = 'glpat-fake-token';

/** Of GitLab's REST v4 what issues need, for one project: statuses and bodies as it gives them. */
export function fakeGitlab(project = 'sec/triage') {
  const issues: FakeIssue[] = [];
  let notes = 0;
  const json = (status: number, body: object): Answer => ({
    status,
    headers: { 'content-type': 'application/json', 'ratelimit-remaining': '599' },
    body: JSON.stringify(body),
  });

  function answer({ method, path, headers, body }: Received): Answer {
    if (headers['private-token'] !== GITLAB_TOKEN) return json(401, { message: '401 Unauthorized' });
    const url = new URL(path, 'http://x');
    const base = `/api/v4/projects/${encodeURIComponent(project)}`;
    if (!url.pathname.startsWith(base)) return json(404, { message: '404 Project Not Found' });
    const [, , iid, sub, noteId] = url.pathname.slice(base.length).split('/');
    const written = body === '' ? {} : (JSON.parse(body) as Record<string, never>);
    const issue = issues.find((one) => one.iid === Number(iid));
    if (iid === undefined) return method === 'POST' ? open(written) : json(200, search(url.searchParams));
    if (issue === undefined) return json(404, { message: '404 Issue Not Found' });
    if (sub === undefined) return edit(issue, written);
    if (method === 'GET') return json(200, issue.notes.toReversed());
    const note = noteId === undefined ? { id: ++notes, body: '' } : issue.notes.find(({ id }) => id === Number(noteId));
    if (note === undefined) return json(404, { message: '404 Note Not Found' });
    note.body = String(written['body']);
    if (noteId === undefined) issue.notes.push(note);
    return json(noteId === undefined ? 201 : 200, note);
  }

  function open(written: Readonly<Record<string, string>>): Answer {
    if ((written['title'] ?? '') === '') return json(400, { message: { title: ["can't be blank"] } });
    const iid = issues.length + 1;
    const issue: FakeIssue = {
      iid,
      title: written['title'] ?? '',
      description: written['description'] ?? '',
      labels: (written['labels'] ?? '').split(','),
      confidential: written['confidential'] as unknown as boolean,
      issue_type: written['issue_type'] ?? 'issue',
      state: 'opened',
      closed_at: null,
      web_url: `https://gitlab.example/${project}/-/issues/${iid}`,
      notes: [],
    };
    issues.push(issue);
    return json(201, issue);
  }

  function edit(issue: FakeIssue, written: Readonly<Record<string, string>>): Answer {
    if (written['state_event'] === 'reopen') Object.assign(issue, { state: 'opened', closed_at: null });
    return json(200, issue);
  }

  /** The text is searched for, as GitLab does: a part of a line is enough. */
  function search(query: URLSearchParams): readonly FakeIssue[] {
    return issues.filter(
      ({ labels, description, state }) =>
        labels.includes(query.get('labels') ?? '') &&
        description.includes(query.get('search') ?? '') &&
        (query.get('state') ?? state) === state,
    );
  }

  return { issues, answer };
}
