import type { GitlabTarget } from '@eyrie/platform/connections';
import type { HttpClient, HttpRequest, HttpResponse } from '@eyrie/platform/http-client';
import type { EffectResult } from '../../core/owner/decision.ts';
import { failedAnswer, failedRequest } from '../answers.ts';

type Answered =
  | { readonly kind: 'answer'; readonly body: unknown }
  | { readonly kind: 'result'; readonly result: EffectResult };

/** REST v4 below one project. */
export interface GitlabApi {
  /** Without an answer it is asked again: nothing was changed. */
  look(path: string, query: Readonly<Record<string, string>>): Promise<Answered>;
  change(method: 'POST' | 'PUT', path: string, body: object): Promise<Answered>;
}

/** Issues and notes carry descriptions of up to 1 MiB each. */
const ANSWER_MAX = 8 * 1024 * 1024;

/** Address of REST v4 of an instance. */
export function gitlabRest(url: string): string {
  return `${url.replace(/\/$/, '')}/api/v4`;
}

export function gitlabApi(
  http: HttpClient,
  { url, token, network }: GitlabTarget,
  project: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): GitlabApi {
  const base = `${gitlabRest(url)}/projects/${encodeURIComponent(project)}`;
  const send = async (request: Pick<HttpRequest, 'method' | 'url' | 'body'>): Promise<Answered> => {
    let answer: HttpResponse;
    try {
      answer = await http.send({
        ...request,
        headers: { 'private-token': token, 'content-type': 'application/json', 'user-agent': 'eyrie' },
        network,
        timeoutMs,
        signal,
        maxResponseBytes: ANSWER_MAX,
      });
    } catch (error) {
      return { kind: 'result', result: failedRequest(error) };
    }
    if (answer.status < 200 || answer.status >= 300) return { kind: 'result', result: failedAnswer(answer) };
    try {
      return { kind: 'answer', body: JSON.parse(answer.body) as unknown };
    } catch {
      return { kind: 'result', result: { kind: 'ambiguous', reason: 'bad_answer', detail: 'the answer is no JSON' } };
    }
  };
  return {
    change: (method, path, body) => send({ method, url: `${base}${path}`, body: JSON.stringify(body) }),
    look: async (path, query) => {
      const answered = await send({ method: 'GET', url: `${base}${path}?${new URLSearchParams(query)}` });
      if (answered.kind === 'answer' || answered.result.kind !== 'ambiguous') return answered;
      const { reason, detail } = answered.result;
      return { kind: 'result', result: { kind: 'retry', reason, ...(detail !== undefined && { detail }) } };
    },
  };
}
