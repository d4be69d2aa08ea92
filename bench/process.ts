import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';

/** Clock ticks a second of /proc/<pid>/stat. */
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** The process and all its descendants (Linux). */
export function processTree(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = readStat(Number(entry));
    if (stat !== undefined) parents.set(Number(entry), Number(stat[1]));
  }
  const tree = [pid];
  for (let i = 0; i < tree.length; i += 1) {
    for (const [child, parent] of parents) if (parent === tree[i]) tree.push(child);
  }
  return tree;
}

/** CPU seconds (user and system) used so far by a process and its living descendants. */
export function cpuSeconds(pid: number): number {
  let ticks = 0;
  for (const member of processTree(pid)) {
    const stat = readStat(member);
    if (stat !== undefined) ticks += Number(stat[11]) + Number(stat[12]);
  }
  return ticks / TICKS;
}

export interface Memory {
  readonly resident: number;
  /** Of it heap, stacks, buffers. */
  readonly anonymous: number;
  /** Of it pages of mapped files, the log's above all: the kernel takes them back when it needs room. */
  readonly mapped: number;
}

/** Resident bytes of a process and its descendants. */
export function residentMemory(pid: number): Memory {
  const sum = { resident: 0, anonymous: 0, mapped: 0 };
  for (const member of processTree(pid)) {
    try {
      const status = readFileSync(`/proc/${member}/status`, 'utf8');
      const read = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
      sum.resident += read('VmRSS');
      sum.anonymous += read('RssAnon');
      sum.mapped += read('RssFile');
    } catch {
      // It ended meanwhile.
    }
  }
  return sum;
}

/** Fields of /proc/<pid>/stat from the state on: 0 state, 1 parent, 11 user ticks, 12 system ticks. */
function readStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

export interface Ready {
  readonly gateway: string;
  readonly console: string;
  readonly intake_token: string;
  readonly api_token: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ready: Ready;
  readonly startMs: number;
  /** Everything it wrote on stderr, bounded. */
  stderr(): string;
  /** Sends the signal and waits for the end; resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const MAIN = new URL('../services/cli/src/main.ts', import.meta.url).pathname;

/** Starts `eyrie up` on a data directory and waits until it is ready. */
export async function startEyrie(
  dataDir: string,
  options: { env?: Record<string, string>; args?: readonly string[]; gatewayPort?: number; timeoutMs?: number } = {},
): Promise<Running> {
  const readyFile = join(dataDir, `ready-${process.hrtime.bigint()}.json`);
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [
      MAIN,
      'up',
      '--data-dir',
      dataDir,
      '--gateway-port',
      String(options.gatewayPort ?? 0),
      '--console-port',
      '0',
      '--ready-file',
      readyFile,
      ...(options.args ?? []),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, EYRIE_LOG_LEVEL: 'warn', ...options.env } },
  );
  // A benchmark that dies (a closed pipe is enough) leaves no server behind.
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-64 * 1024);
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const deadline = performance.now() + (options.timeoutMs ?? 30_000);
  for (;;) {
    try {
      const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as Ready;
      rmSync(readyFile, { force: true });
      return {
        child,
        pid: child.pid ?? 0,
        ready,
        startMs: performance.now() - started,
        stderr: () => stderr,
        stop: async (signal = 'SIGTERM') => {
          child.kill(signal);
          return exited;
        },
      };
    } catch {
      // Not there yet.
    }
    if (child.exitCode !== null || child.signalCode !== null) throw new EndedBeforeReady(stderr);
    if (performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`eyrie up was not ready in time: ${stderr}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A failpoint or an error ended the process before it was ready. */
export class EndedBeforeReady extends Error {}

export function temporaryDirectory(prefix: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `eyrie-${prefix}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The middle one, the upper of two. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** One result of a benchmark, as one JSON line on stdout. */
export function report(result: {
  name: string;
  value: number;
  unit: string;
  cpu_s_per_million?: number;
  baseline?: number;
  ratio?: number;
}): void {
  const rounded = Object.fromEntries(
    Object.entries(result).map(([key, value]) => [
      key,
      typeof value === 'number' ? Number(value.toPrecision(4)) : value,
    ]),
  );
  process.stdout.write(`${JSON.stringify(rounded)}\n`);
}

/** Size of the machine, for the record. */
export function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
}
