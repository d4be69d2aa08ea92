import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@eyrie/platform/clock';
import { AppError } from '@eyrie/platform/errors';
import { requireScope } from '@eyrie/platform/http/gate';
import type { InterceptTools } from '@eyrie/platform/http/server';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Principal } from '@eyrie/platform/tokens';
import { isName, readLine } from '@eyrie/schemas';
import type { Appender } from './appender.ts';
import { type BodyLimits, createUnpack, readBody } from './body.ts';
import type { Budget } from './budget.ts';
import { type Admission, admit } from './core/admit.ts';
import { cutBody } from './core/lines.ts';
import { readMedia } from './core/media.ts';
import type { Quotas } from './core/quota.ts';
import type { Refusals } from './refusals.ts';

export interface IntakeLimits extends BodyLimits {
  readonly eventBytes: number;
  readonly lines: number;
}

interface Dependencies {
  readonly appender: Appender;
  readonly budget: Budget;
  readonly quotas: Quotas;
  readonly refusals: Refusals;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** What was read of bodies is kept until they are stored, while no more than this is in flight: beyond it, it is read again. */
const HANDED_ON_BYTES = 8 * 1024 * 1024;
/** Rejected lines an answer lists; the rest is a number. */
const LISTED = 1000;

export type Intake = (request: IncomingMessage, response: ServerResponse, tools: InterceptTools) => Promise<void>;

/** Takes one post from its headers to the answer that follows the sync. Never throws. */
export function createIntake(deps: Dependencies, limits: IntakeLimits): Intake {
  const { appender, budget, quotas, refusals, clock, metrics } = deps;
  const unpack = createUnpack(limits, budget);

  async function take(request: IncomingMessage, principal: Principal): Promise<Admission> {
    const { headers } = request;
    requireScope(principal, 'intake');
    const headerCluster = readHeaderCluster(headers['x-eyrie-cluster'], principal);
    const media = readMedia(headers['content-type'], headers['content-encoding']);
    if (!media.ok) throw new AppError('EYRIE_HTTP_UNSUPPORTED_TYPE', media.message);
    if (!quotas.mayStore(principal.tenant, clock.now())) {
      throw new AppError('EYRIE_HTTP_QUOTA', `tenant ${principal.tenant} has used up its share of the disk`);
    }
    const received = await readBody(request, budget, limits.bodyBytes);
    const body = media.coding === 'plain' ? received : await unpack(received, media.coding);
    try {
      await appender.waitForReaders(principal, body.bytes.length);
      const cut = cutBody(body.bytes, media.form, limits.lines);
      if (!cut.ok) {
        const code = cut.kind === 'too_many' ? 'EYRIE_HTTP_TOO_LARGE' : 'EYRIE_HTTP_BAD_REQUEST';
        throw new AppError(code, cut.message);
      }
      const meta = {
        tenant: principal.tenant,
        cluster: principal.cluster,
        ...(headerCluster !== undefined && { header_cluster: headerCluster }),
        received_at: clock.now(),
        origin: 'http' as const,
        ...(quotas.isOver(principal.tenant, clock.now()) && { over_quota: true as const }),
      };
      const admission = admit(cut.lines, meta, readLine, {
        eventBytes: limits.eventBytes,
        listed: LISTED,
        handsOn: budget.used <= HANDED_ON_BYTES,
      });
      await appender.append(admission.sections);
      return admission;
    } finally {
      body.release();
    }
  }

  function noteStored(principal: Principal, { accepted, rejected, rejectedMore, blank, bytes }: Admission): void {
    metrics.count('eyrie_intake_requests_total', { code: '200' });
    if (accepted > 0) metrics.count('eyrie_intake_events_total', { result: 'accepted' }, accepted);
    const refused = rejected.length + rejectedMore;
    if (refused > 0) metrics.count('eyrie_intake_events_total', { result: 'rejected' }, refused);
    if (blank > 0) metrics.count('eyrie_intake_events_total', { result: 'blank' }, blank);
    const events = accepted + refused;
    if (quotas.note(principal.tenant, events, bytes, clock.now())) refusals.noteOverQuota(principal, events);
  }

  return async (request, response, { identify, explain }) => {
    const peer = request.socket.remoteAddress ?? 'unknown';
    let principal: Principal | undefined;
    try {
      principal = identify(request);
      const admission = await take(request, principal);
      noteStored(principal, admission);
      answer(response, 200, OK_HEADERS, bodyOf(admission));
    } catch (error) {
      const { status, code, message, headers, body } = explain(error, peer);
      metrics.count('eyrie_intake_requests_total', { code: String(status) });
      refusals.note({ principal, peer, code, message });
      answer(response, status, headers, body);
    }
  };
}

const OK_HEADERS = { 'content-type': 'application/json; charset=utf-8' };
const ONE_EVENT = '{"accepted":1,"rejected":[]}';

function bodyOf({ accepted, rejected, rejectedMore }: Admission): string {
  if (rejected.length === 0 && accepted === 1) return ONE_EVENT;
  if (rejected.length === 0) return `{"accepted":${accepted},"rejected":[]}`;
  const more = rejectedMore === 0 ? {} : { rejected_more: rejectedMore };
  return JSON.stringify({ accepted, rejected, ...more });
}

function answer(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** @throws AppError EYRIE_HTTP_FORBIDDEN, EYRIE_HTTP_BAD_REQUEST */
function readHeaderCluster(header: string | string[] | undefined, principal: Principal): string | undefined {
  if (header === undefined) return undefined;
  const name = Array.isArray(header) ? header.join() : header;
  if (principal.cluster !== '*') {
    if (name === principal.cluster) return undefined;
    throw new AppError('EYRIE_HTTP_FORBIDDEN', `the token is for cluster ${principal.cluster}, not for the one named`);
  }
  if (isName(name)) return name;
  throw new AppError('EYRIE_HTTP_BAD_REQUEST', 'X-Eyrie-Cluster must be 1 to 63 of a-z, 0-9, ".", "_", "-"');
}
