import { type Clock, systemClock } from '@eyrie/platform/clock';
import { AppError } from '@eyrie/platform/errors';
import { createPoster, type Poster } from '@eyrie/platform/http/poster';
import { retry } from '@eyrie/platform/retry';
import { type Batch, cut, readBatches } from './send-batches.ts';
import { openSendState } from './send-state.ts';

export interface SendOptions {
  /** `-` is standard input; gzip is recognised. */
  readonly files: readonly string[];
  readonly url: string;
  readonly token: string;
  /** Events a second at most. */
  readonly rate?: number;
  /** Events a post (default 500). */
  readonly batch?: number;
  /** Remembers what was acknowledged; the next run goes on from there. */
  readonly stateFile?: string;
  readonly onProgress?: (progress: SendProgress) => void;
  /** Ends after the running post. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

export interface SendResult {
  readonly sent: number;
  readonly accepted: number;
  readonly rejected: number;
}

export interface SendProgress extends SendResult {
  readonly file: string;
  /** Bytes of text read so far, of all files, those skipped included. */
  readonly bytes: number;
  readonly eventsPerSecond: number;
  /** Set while a post is repeated. */
  readonly waiting?: { readonly reason: string; readonly ms: number };
}

const BATCH_LINES = 500;
const BATCH_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
const BACKOFF = { initialMs: 100, maximumMs: 5_000, deadlineMs: Number.POSITIVE_INFINITY };
/** With a rate, a second is cut into so many posts at least. */
const POSTS_A_SECOND = 10;

/**
 * Posts files line by line, in order, until every line was accepted or rejected; repeats for as long as it takes.
 * A post that was answered is remembered before the next one leaves.
 * @throws AppError EYRIE_SEND_FAILED (a repeat will not help, or interrupted), EYRIE_INPUT_UNREADABLE, EYRIE_USAGE
 */
export async function sendFiles(options: SendOptions): Promise<SendResult> {
  const { clock = systemClock, rate } = options;
  const poster = createPoster({ url: options.url, token: options.token, timeoutMs: TIMEOUT_MS, connections: 1 });
  const state = openSendState(options.stateFile);
  const lines = Math.min(
    options.batch ?? BATCH_LINES,
    rate === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.ceil(rate / POSTS_A_SECOND)),
  );
  const total = { sent: 0, accepted: 0, rejected: 0 };
  const started = clock.now();
  let doneBytes = 0;
  try {
    for (const file of options.files) {
      let end = 0;
      const report = (waiting?: SendProgress['waiting']) =>
        options.onProgress?.({
          ...total,
          file,
          bytes: doneBytes + end,
          eventsPerSecond: Math.round((total.sent * 1000) / Math.max(1, clock.now() - started)),
          ...(waiting && { waiting }),
        });
      for await (const batch of readBatches(file, state.acknowledged(file), { lines, bytes: BATCH_BYTES })) {
        stopIfAborted(options.signal);
        const { accepted, rejected } = await postBatch(poster, batch, { clock, signal: options.signal, report });
        total.accepted += accepted;
        total.rejected += rejected;
        total.sent += accepted + rejected;
        end = batch.end;
        state.save(file, end);
        report();
        if (rate !== undefined) await clock.sleep(waitFor(total.sent, rate, clock.now() - started), options.signal);
      }
      doneBytes += end;
    }
    return total;
  } finally {
    await poster.close();
  }
}

function waitFor(sent: number, rate: number, elapsedMs: number): number {
  return Math.max(0, (sent * 1000) / rate - elapsedMs);
}

function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new AppError('EYRIE_SEND_FAILED', 'interrupted; run the same command again to go on');
  }
}

interface PostContext {
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  readonly report: (waiting: NonNullable<SendProgress['waiting']>) => void;
}

type Counts = Omit<SendResult, 'sent'>;

/** Posts one batch until it is answered. A batch over the gateway's bound is halved down to the one line that is. */
async function postBatch(poster: Poster, batch: Omit<Batch, 'end'>, context: PostContext): Promise<Counts> {
  const { clock, signal, report } = context;
  const policy = {
    ...BACKOFF,
    random: Math.random,
    onRetry: (error: unknown, _attempt: number, ms: number) =>
      report({ reason: error instanceof Error ? error.message : String(error), ms }),
    ...(signal && { signal }),
  };
  const answer = await retry(clock, policy, async () => {
    stopIfAborted(signal);
    return readAnswer(await poster.post(batch.bytes));
  });
  if (answer !== 'too_large') return answer;
  if (batch.lines === 1) return { accepted: 0, rejected: 1 };
  const counts = { accepted: 0, rejected: 0 };
  for (const half of cut(batch.bytes, 0, { lines: Math.ceil(batch.lines / 2), bytes: BATCH_BYTES })) {
    const { accepted, rejected } = await postBatch(poster, half, context);
    counts.accepted += accepted;
    counts.rejected += rejected;
  }
  return counts;
}

/** Answers after which the same post may be taken. */
const REPEAT: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

const ADVICE: Readonly<Record<number, string>> = {
  401: 'check --token',
  403: 'the token lacks the scope intake, or is for another cluster',
  404: 'check --url: this is no gateway of Eyrie',
};

function readAnswer({ status, text }: { readonly status: number; readonly text: string }): Counts | 'too_large' {
  if (status === 200) return readCounts(text);
  if (status === 413) return 'too_large';
  if (REPEAT.has(status)) {
    throw new AppError('EYRIE_SEND_FAILED', `the gateway answered ${status}`, { retryable: true });
  }
  const advice = ADVICE[status];
  const reason = errorOf(text);
  throw new AppError(
    'EYRIE_SEND_FAILED',
    `the gateway answered ${status}${reason === undefined ? '' : `, ${reason}`}${advice === undefined ? '' : `; ${advice}`}`,
  );
}

function readCounts(text: string): Counts {
  const answer = parse(text) as { accepted?: unknown; rejected?: unknown; rejected_more?: unknown } | undefined;
  if (typeof answer?.accepted !== 'number' || !Array.isArray(answer.rejected)) {
    throw new AppError('EYRIE_SEND_FAILED', 'the answer is not that of a gateway; check --url');
  }
  const more = typeof answer.rejected_more === 'number' ? answer.rejected_more : 0;
  return { accepted: answer.accepted, rejected: answer.rejected.length + more };
}

function errorOf(text: string): string | undefined {
  const error = (parse(text) as { error?: { code?: unknown; message?: unknown } } | undefined)?.error;
  return typeof error?.code === 'string' ? `${error.code}: ${String(error.message)}` : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
