import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { damaged } from './damage.ts';
import { isLasting, unavailable } from './failures.ts';
import { type EngineReply, type EngineRequest, type FromChild, MAX_IN_FLIGHT, type ToChild } from './protocol.ts';

const CHILD = fileURLToPath(new URL('./chdb-child.ts', import.meta.url));
const BUSY_WAIT_MS = 10_000;
const MAX_WAITING = 1_000;
const RESTART_MS = { first: 100, most: 5_000 } as const;
const CLOSE_MS = 4_500;

export interface ChdbProcessOptions {
  readonly directory: string;
  readonly engineArguments: readonly string[];
  readonly log: Logger;
  readonly metrics: Metrics;
  /** How long a start waits for the process before it to leave the directory, milliseconds (default 10,000). */
  readonly busyWaitMs?: number;
}

export interface ChdbProcess {
  /** @throws AppError EYRIE_STORE_UNAVAILABLE (retryable) when the process is gone, or too much waits for it */
  request(request: EngineRequest): Promise<EngineReply>;
  /** Of the running process, for tests that kill it. */
  pid(): number | undefined;
  close(): Promise<void>;
}

interface Waiting {
  readonly request: EngineRequest;
  readonly resolve: (reply: EngineReply) => void;
  readonly reject: (error: unknown) => void;
}

/** Starts the engine's process, keeps it running, and carries requests to it. */
export async function startChdbProcess(options: ChdbProcessOptions): Promise<ChdbProcess> {
  const { log, metrics } = options;
  const busyWaitMs = String(options.busyWaitMs ?? BUSY_WAIT_MS);
  const sent = new Map<number, Waiting>();
  const queue: Waiting[] = [];
  let child: ChildProcess | undefined;
  let ready = false;
  let closing = false;
  let lastId = 0;
  let restartMs: number = RESTART_MS.first;
  let restart: NodeJS.Timeout | undefined;

  function pump(): void {
    while (ready && child !== undefined && sent.size < MAX_IN_FLIGHT) {
      const next = queue.shift();
      if (next === undefined) return;
      lastId += 1;
      sent.set(lastId, next);
      child.send({ id: lastId, request: next.request } satisfies ToChild, (error) => {
        if (error !== null) log.debug({ err: error }, 'engine process did not take a request');
      });
    }
  }

  function failAll(error: AppError): void {
    const all = [...sent.values(), ...queue.splice(0)];
    sent.clear();
    for (const { reject } of all) reject(error);
  }

  function start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const started = fork(CHILD, [options.directory, busyWaitMs, ...options.engineArguments], {
        execPath: process.execPath,
        // The parent's flags (a debugger, a test runner's loader) are not the child's.
        execArgv: [],
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        env: { PATH: process.env['PATH'], TZ: 'UTC', UV_THREADPOOL_SIZE: '8' },
      });
      child = started;
      let problem = 'the engine process ended';
      let words = '';
      let unsupported = false;
      // Bounded: the last words of a dying process.
      started.stderr?.on('data', (data: Buffer) => {
        const text = data.toString('utf8').trim().slice(0, 1_000);
        if (text !== '') words = problem = text;
      });
      started.on('message', (message: FromChild) => {
        if ('ready' in message) {
          ready = true;
          restartMs = RESTART_MS.first;
          resolve();
          pump();
        } else if ('broken' in message) {
          unsupported = message.broken === 'unsupported';
          if (unsupported || words === '') problem = message.message;
        } else {
          const waiting = sent.get(message.id);
          sent.delete(message.id);
          waiting?.resolve(message.reply);
          pump();
        }
      });
      started.on('error', (error) => (problem = error.message));
      started.on('exit', (code, signal) => {
        if (child !== started) return;
        child = undefined;
        const wasReady = ready;
        ready = false;
        if (unsupported) reject(new AppError('EYRIE_PLATFORM_UNSUPPORTED', problem));
        else if (isLasting(words)) reject(damaged(options.directory, `the embedded engine cannot open it: ${words}`));
        else reject(unavailable(`the embedded engine does not start in ${options.directory}: ${problem}`));
        failAll(unavailable('the embedded engine ended; it is being started again'));
        if (closing) return;
        if (wasReady) log.error({ code, signal, problem }, 'embedded engine ended, starting it again');
        if (wasReady || restarting) again();
      });
    });
  }

  let restarting = false;
  function again(): void {
    restarting = true;
    restart = setTimeout(() => {
      void start().then(
        () => (restarting = false),
        (error: unknown) => log.error({ err: error }, 'embedded engine did not start'),
      );
    }, restartMs);
    restartMs = Math.min(restartMs * 2, RESTART_MS.most);
  }

  await start();
  return {
    request: (request) =>
      new Promise((resolve, reject) => {
        if (closing) reject(unavailable('the store is closed'));
        else if (!ready && !restarting) reject(unavailable('the embedded engine is not running'));
        else if (queue.length >= MAX_WAITING) {
          metrics.count('eyrie_bound_reached_total', { bound: 'store_requests' });
          reject(unavailable('too many requests wait for the embedded engine'));
        } else {
          queue.push({ request, resolve, reject });
          pump();
        }
      }),
    pid: () => child?.pid,
    close: async () => {
      if (closing) return;
      closing = true;
      clearTimeout(restart);
      failAll(unavailable('the store is closed'));
      const ending = child;
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
      const ended = new Promise<void>((resolve) => ending.once('exit', () => resolve()));
      if (ending.connected) ending.send({ close: true } satisfies ToChild);
      const timer = setTimeout(() => ending.kill('SIGKILL'), CLOSE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
