import { AppError, ERROR_CODES, type ErrorCode } from '@eyrie/platform/errors';
import type { WorkloadSnapshot } from '@eyrie/schemas';
import type {
  AlertFilter,
  ApiAction,
  ApiAlert,
  ApiAlertDetail,
  ApiApproval,
  ApiAsked,
  ApiBreaker,
  ApiCoverage,
  ApiDocument,
  ApiLedgerCheck,
  ApiMonthlyAlerts,
  ApiToken,
  ApiTokenMade,
  ApiVerdictTaken,
  ApiWhy,
  ApprovalBody,
  SilenceInput,
  TokenInput,
  VerdictBody,
} from '@eyrie/schemas/api';
import type { z } from 'zod';
import type { ReadyFile } from './ready.ts';

type Out<T extends z.ZodType> = z.output<T>;
type Query = Readonly<Record<string, string | number | boolean | undefined>>;
interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor?: string;
}

interface StreamMessage {
  /** Send it back to go on after this message. */
  readonly id: string;
  /** `alert`, `gap` or `cut`. */
  readonly event: string;
  readonly data: unknown;
}

export interface ApiClient {
  alerts(filter?: Partial<AlertFilter>): Promise<Page<Out<typeof ApiAlert>>>;
  alert(id: string): Promise<Out<typeof ApiAlertDetail>>;
  approvals(): Promise<Page<Out<typeof ApiApproval>>>;
  approval(plan: string, body: z.input<typeof ApprovalBody>): Promise<Out<typeof ApiAsked>>;
  breaker(): Promise<Out<typeof ApiBreaker>>;
  resetBreaker(): Promise<Out<typeof ApiAsked>>;
  undo(intentKey: string): Promise<Out<typeof ApiAsked>>;
  verifyLedger(): Promise<Out<typeof ApiLedgerCheck>>;
  verdict(id: string, body: z.input<typeof VerdictBody>): Promise<Out<typeof ApiVerdictTaken>>;
  /** Event id, alert id, pod uid, `namespace/pod`, or a raw position. */
  why(id: string): Promise<Out<typeof ApiWhy>>;
  silences(): Promise<Page<Out<typeof ApiDocument>>>;
  addSilence(body: SilenceInput, id?: string): Promise<Out<typeof ApiDocument>>;
  removeSilence(id: string): Promise<Out<typeof ApiDocument>>;
  tokens(): Promise<Page<Out<typeof ApiToken>>>;
  createToken(body: z.input<typeof TokenInput>): Promise<Out<typeof ApiTokenMade>>;
  revokeToken(name: string): Promise<Out<typeof ApiToken>>;
  actions(filter?: Query): Promise<Page<Out<typeof ApiAction>>>;
  events(filter?: Query): Promise<Page<Readonly<Record<string, unknown>>>>;
  deadLetters(filter?: Query): Promise<Page<Readonly<Record<string, unknown>>>>;
  /** Pods as the inventory last saw them. */
  workloads(filter?: Query): Promise<Page<WorkloadSnapshot>>;
  /** What sensors said of themselves, and what intake refused. */
  health(filter?: Query): Promise<Page<Readonly<Record<string, unknown>>>>;
  monthlyAlerts(filter?: Query): Promise<Out<typeof ApiMonthlyAlerts>>;
  coverage(filter: Query): Promise<Out<typeof ApiCoverage>>;
  /** Messages until the server ends the stream or the signal aborts; heartbeats are not given. */
  stream(options?: {
    lastEventId?: string;
    include?: 'suppressed';
    signal?: AbortSignal;
  }): AsyncGenerator<StreamMessage>;
}

/** Where the API is: what was given, or else what the running process wrote down. @throws AppError EYRIE_USAGE */
export function locateApi(
  given: { readonly url?: string; readonly token?: string },
  ready: ReadyFile | undefined,
): { url: string; token: string } {
  const url = given.url ?? ready?.console;
  const token = given.token ?? ready?.api_token;
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new AppError('EYRIE_USAGE', '--url (EYRIE_API_URL) must be an address such as http://127.0.0.1:2802');
  }
  if (url !== undefined && token !== undefined) return { url, token };
  const missing = url === undefined ? '--url (EYRIE_API_URL)' : '--token (EYRIE_API_TOKEN)';
  throw new AppError('EYRIE_USAGE', `${missing} is missing, and the data directory names no running process`);
}

const TIMEOUT_MS = 60_000;

export function createApiClient({ url, token }: { url: string; token: string }): ApiClient {
  async function send(method: string, path: string, init: { query?: Query; body?: unknown } = {}): Promise<unknown> {
    const response = await request(addressOf(path, init.query), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return response.json();
  }

  function addressOf(path: string, query: Query = {}): URL {
    const address = new URL(path, url);
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) address.searchParams.set(key, String(value));
    }
    return address;
  }

  // The API states its shapes (`/openapi.json`); what comes back is trusted to be them.
  const get = async <T>(path: string, query?: Query) => (await send('GET', path, query && { query })) as T;
  const post = async <T>(path: string, body: unknown) => (await send('POST', path, { body })) as T;
  const remove = async <T>(path: string) => (await send('DELETE', path)) as T;
  const part = encodeURIComponent;

  return {
    alerts: (filter = {}) => get('/v1/alerts', { ...filter }),
    alert: (id) => get(`/v1/alerts/${part(id)}`),
    verdict: (id, body) => post(`/v1/alerts/${part(id)}/verdict`, body),
    why: (id) => get(`/v1/why/${id.split('/').map(part).join('/')}`),
    silences: () => get('/v1/documents/silence'),
    addSilence: (body, id) => post('/v1/documents/silence', id === undefined ? { body } : { id, body }),
    removeSilence: (id) => remove(`/v1/documents/silence/${part(id)}`),
    tokens: () => get('/v1/tokens'),
    createToken: (body) => post('/v1/tokens', body),
    revokeToken: (name) => remove(`/v1/tokens/${part(name)}`),
    approvals: () => get('/v1/approvals'),
    approval: (plan, body) => post(`/v1/approvals/${part(plan)}`, body),
    breaker: () => get('/v1/breaker'),
    resetBreaker: () => post('/v1/breaker/reset', {}),
    undo: (intentKey) => post(`/v1/actions/${part(intentKey)}/undo`, {}),
    verifyLedger: () => get('/v1/ledger/verify'),
    actions: (filter) => get('/v1/actions', filter),
    events: (filter) => get('/v1/events', filter),
    deadLetters: (filter) => get('/v1/dead-letters', filter),
    workloads: (filter) => get('/v1/workloads', filter),
    health: (filter) => get('/v1/health', filter),
    monthlyAlerts: (filter) => get('/v1/metrics/monthly-alerts', filter),
    coverage: (filter) => get('/v1/coverage', filter),
    stream: async function* ({ lastEventId, include, signal } = {}) {
      const response = await request(addressOf('/v1/stream', { include }), {
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'text/event-stream',
          ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        },
        ...(signal === undefined ? {} : { signal }),
      });
      yield* readMessages(response, signal);
    },
  };
}

/** @throws AppError with the code the server gave, or EYRIE_API_UNREACHABLE */
async function request(address: URL, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, init);
  } catch (cause) {
    throw new AppError('EYRIE_API_UNREACHABLE', `no answer from ${address.origin}`, { cause, retryable: true });
  }
  if (response.ok) return response;
  const answer = (await response.json().catch(() => undefined)) as
    | { error?: { code?: string; message?: string; requestId?: string } }
    | undefined;
  const { code = '', message = `status ${response.status}`, requestId } = answer?.error ?? {};
  throw new AppError(
    code in ERROR_CODES ? (code as ErrorCode) : 'EYRIE_INTERNAL',
    requestId === undefined ? message : `${message} (request ${requestId})`,
    { retryable: response.status === 503 },
  );
}

/** Server-sent events of a body: blocks of `field: value` lines, each ended by an empty line. */
async function* readMessages(response: Response, signal: AbortSignal | undefined): AsyncGenerator<StreamMessage> {
  const decoder = new TextDecoder();
  let held = '';
  let id = '';
  try {
    for await (const chunk of response.body ?? []) {
      held += decoder.decode(chunk, { stream: true });
      const blocks = held.split('\n\n');
      held = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line]));
        id = fields.get('id')?.slice('id: '.length) ?? id;
        const data = fields.get('data')?.slice('data: '.length);
        const event = fields.get('event')?.slice('event: '.length) ?? 'message';
        if (data !== undefined) yield { id, event, data: JSON.parse(data) };
      }
    }
  } catch (cause) {
    if (signal?.aborted === true) return;
    throw new AppError('EYRIE_API_UNREACHABLE', 'the stream broke off', { cause, retryable: true });
  }
}
