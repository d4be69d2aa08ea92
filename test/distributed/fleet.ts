import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MAIN } from '../acceptance/eyrie.ts';
import type { Sabotage } from './sabotage.ts';

const SABOTEUR = new URL('./sabotage.ts', import.meta.url).href;
const READY_MS = 60_000;

const living = new Set<ChildProcess>();
// A test that dies leaves no process behind.
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

export interface Member {
  readonly name: string;
  readonly role: string;
  /** The life that runs now, if one does. */
  child(): ChildProcess | undefined;
  /** Starts a life; resolves once it is ready or asleep, or has ended before. */
  start(extra?: Readonly<Record<string, string>>): Promise<'ready' | 'ended'>;
  /** Sends a signal and waits for the end of this life. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
  /** Lives that did not end by themselves: killed, or put to sleep. */
  cutShort(): number;
  /** The next life runs another version: the path of its main file. */
  use(main: string): void;
  /** Stopped by a signal, as the kernel tells (Linux). */
  isAsleep(): boolean;
  resume(): void;
  /** What it wrote when it was ready. */
  addresses(): Readonly<Record<string, string>>;
  /** Its last words on stderr, over all lives. */
  words(): string;
}

interface MemberOptions {
  readonly name: string;
  readonly role: string;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly sabotage?: Sabotage;
  /** Main file of the first life (default: of this version). */
  readonly main?: string;
}

/** One role as a process of its own, which may be killed and started again on the same directory. */
export function createMember({ name, role, directory, env, sabotage, main = MAIN }: MemberOptions): Member {
  const dataDir = join(directory, name);
  const readyFile = join(dataDir, 'ready.json');
  mkdirSync(dataDir, { mode: 0o700, recursive: true });
  let running: { readonly child: ChildProcess; readonly ended: Promise<number | null> } | undefined;
  let words = '';
  let version = main;
  let cutShort = 0;

  function isOver(child: ChildProcess): boolean {
    return child.exitCode !== null || child.signalCode !== null;
  }

  return {
    name,
    role,
    child: () => running?.child,
    start: async (extra = {}) => {
      rmSync(readyFile, { force: true });
      const child = spawn(process.execPath, ['--import', SABOTEUR, version, role, '--data-dir', dataDir], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: {
          ...process.env,
          EYRIE_LOG_LEVEL: 'warn',
          ...env,
          ...extra,
          ...(sabotage !== undefined && { EYRIE_TEST_SABOTAGE: sabotage }),
        },
      });
      living.add(child);
      const ended = new Promise<number | null>((resolve) => {
        child.once('close', (code, signal) => {
          if (signal === 'SIGKILL') cutShort += 1;
          resolve(code);
        });
      });
      void ended.then(() => living.delete(child));
      child.stderr.on('data', (chunk: Buffer) => {
        words = (words + chunk.toString()).slice(-16_384);
      });
      running = { child, ended };
      const deadline = performance.now() + READY_MS;
      while (!isOver(child)) {
        if (isReady(readyFile) || isStopped(child)) return 'ready';
        if (performance.now() > deadline) throw new Error(`${name} was not ready in time: ${words}`);
        await wait(20);
      }
      return 'ended';
    },
    end: async (signal = 'SIGKILL') => {
      if (running === undefined) return null;
      running.child.kill('SIGCONT');
      running.child.kill(signal);
      const code = await running.ended;
      running = undefined;
      return code;
    },
    cutShort: () => cutShort,
    use: (other) => {
      version = other;
    },
    isAsleep: () => running !== undefined && isStopped(running.child),
    resume: () => {
      cutShort += 1;
      running?.child.kill('SIGCONT');
    },
    addresses: () => JSON.parse(readFileSync(readyFile, 'utf8')),
    words: () => words,
  };
}

function isStopped({ pid }: ChildProcess): boolean {
  try {
    return /^\d+ \(.*\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function isReady(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
