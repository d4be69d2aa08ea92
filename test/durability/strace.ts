import { spawn, spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** One finished system call. Lines of the trace order calls: one ended before another started if its line is smaller. */
export interface Call {
  readonly name: string;
  readonly descriptor: number | undefined;
  /** What the descriptor stands for, or the file that was opened. */
  readonly path: string | undefined;
  /** Arguments as printed; data up to the length asked for. */
  readonly text: string;
  readonly result: number;
  readonly started: number;
  readonly ended: number;
}

const WRITES = new Set(['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2']);
const SYNCS = new Set(['fsync', 'fdatasync', 'msync', 'sync_file_range']);
const SENDS = ['sendto', 'sendmsg'];

export function straceAvailable(): boolean {
  return spawnSync('strace', ['-V'], { stdio: 'ignore' }).status === 0;
}

/**
 * Starts a program under strace, which writes to `traceFile` every call that writes, syncs, opens or sends.
 * `dataBytes` of each buffer are kept: a page of the log (16 KiB) by default.
 */
export function startTraced(
  command: readonly string[],
  options: { readonly traceFile: string; readonly dataBytes?: number; readonly env?: NodeJS.ProcessEnv },
) {
  const names = [...WRITES, ...SYNCS, ...SENDS, 'openat', 'close'].join(',');
  const args = ['-f', '-y', '-s', String(options.dataBytes ?? 16_384), '-e', `trace=${names}`, '-o', options.traceFile];
  return spawn('strace', [...args, ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...options.env },
  });
}

/** The calls of a trace, in the order they ended. */
export async function* readTrace(file: string): AsyncGenerator<Call> {
  /** Calls another thread interrupted, by thread and name. */
  const open = new Map<string, { readonly text: string; readonly started: number }>();
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file, 'latin1'), crlfDelay: Infinity })) {
    number += 1;
    const head = /^(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()/.exec(line);
    if (head === null) continue;
    const [whole, thread = '', resumed, name = resumed ?? ''] = head;
    const rest = line.slice(whole.length);
    if (rest.endsWith(' <unfinished ...>')) {
      open.set(`${thread} ${name}`, { text: rest.slice(0, -17), started: number });
      continue;
    }
    const earlier = resumed === undefined ? undefined : open.get(`${thread} ${name}`);
    if (resumed !== undefined) open.delete(`${thread} ${name}`);
    yield toCall(name, (earlier?.text ?? '') + rest, earlier?.started ?? number, number);
  }
}

function toCall(name: string, line: string, started: number, ended: number): Call {
  const end = line.lastIndexOf(') ');
  const text = line.slice(0, end);
  const result = /^\) += (-?\d+)(?:<(.*)>)?/.exec(line.slice(end));
  const target = name === 'openat' ? undefined : /^(\d+)(?:<([^>]*)>)?/.exec(text);
  return {
    name,
    descriptor: name === 'openat' ? Number(result?.[1]) : target === null ? undefined : Number(target?.[1]),
    path: name === 'openat' ? result?.[2] : target?.[2],
    text,
    result: Number(result?.[1] ?? -1),
    started,
    ended,
  };
}

export interface SyncQuestion {
  /** True for the file promises are kept in. */
  readonly isLog: (path: string) => boolean;
  /** Finds the markers in the data of a write to the log; global. */
  readonly marker: RegExp;
  /** The markers a call acknowledges: what the outside was told is safe. */
  readonly acknowledges: (call: Call) => readonly string[];
}

export interface SyncAnswer {
  readonly acknowledged: number;
  readonly syncs: number;
  /** What was acknowledged without being safe, and why. */
  readonly violations: readonly string[];
}

/**
 * Holds each acknowledgement against the calls before it: the write that carries the marker must be followed by a
 * completed sync of that file, and so must the next write after that sync, which makes the commit the current one
 * (a write through a descriptor opened with O_DSYNC or O_SYNC is its own sync).
 */
export async function findUnsynced(calls: AsyncIterable<Call>, question: SyncQuestion): Promise<SyncAnswer> {
  const synchronous = new Set<number>();
  const writes: { readonly call: Call; readonly synced: boolean }[] = [];
  const syncs: Call[] = [];
  const carriers = new Map<string, Call>();
  const violations: string[] = [];
  let acknowledged = 0;

  /** When a write was safe: the line its sync ended in. */
  const safeAt = ({ call, synced }: (typeof writes)[number]) =>
    synced ? call.ended : syncs.find((sync) => sync.started > call.ended && sync.path === call.path)?.ended;

  for await (const call of calls) {
    const ofLog = call.path !== undefined && question.isLog(call.path);
    if (call.name === 'openat' && call.descriptor !== undefined && call.result >= 0) {
      if (ofLog && /O_D?SYNC/.test(call.text)) synchronous.add(call.descriptor);
      else synchronous.delete(call.descriptor);
    } else if (ofLog && SYNCS.has(call.name) && call.result === 0) syncs.push(call);
    else if (ofLog && WRITES.has(call.name) && call.result > 0) {
      writes.push({ call, synced: call.descriptor !== undefined && synchronous.has(call.descriptor) });
      for (const [marker] of call.text.matchAll(question.marker)) if (!carriers.has(marker)) carriers.set(marker, call);
    } else {
      for (const marker of question.acknowledges(call)) {
        acknowledged += 1;
        const problem = judge(marker, call.started);
        if (problem !== undefined) violations.push(`${marker}: ${problem}`);
      }
    }
  }
  return { acknowledged, syncs: syncs.length, violations };

  function judge(marker: string, before: number): string | undefined {
    const carrier = carriers.get(marker);
    if (carrier === undefined || carrier.ended > before) return 'not written when it was acknowledged';
    const data = writes.find(({ call }) => call === carrier);
    const dataSafe = data === undefined ? undefined : safeAt(data);
    if (dataSafe === undefined || dataSafe > before) return 'its bytes were not synced';
    const commit = writes.find(({ call }) => call.started >= dataSafe);
    const commitSafe = commit === undefined ? undefined : safeAt(commit);
    if (commitSafe === undefined || commitSafe > before) return 'its commit was not synced';
    return undefined;
  }
}
