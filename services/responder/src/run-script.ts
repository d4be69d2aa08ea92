import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EffectResult } from './core/owner/decision.ts';
import { inheritedDescriptors } from './inherited.ts';

const SCRATCH = 'eyrie-action-';
const OUTPUT_MAX = 16 * 1024;
/** After a kill the process is gone at once; what holds its pipes open is not waited for. */
const REAP_MS = 1_000;

export interface ScriptRun {
  readonly path: string;
  readonly args: readonly string[];
  /** Where its temporary directory is made. */
  readonly scratchDir: string;
  /** Facts of ours only; event text comes on standard input. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly timeoutMs: number;
}

/**
 * One run: own process group, no inherited descriptors, empty environment but for what
 * is given, a temporary directory that goes with it. When the time is over the whole group is killed.
 */
export async function runScript(run: ScriptRun, signal: AbortSignal): Promise<EffectResult> {
  const cwd = await mkdtemp(join(run.scratchDir, SCRATCH));
  try {
    return await execute(run, cwd, signal);
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

/** In place of every descriptor the child would inherit it gets /dev/null. */
function spawnBare(run: ScriptRun, cwd: string): ChildProcessWithoutNullStreams {
  const nothing = openSync('/dev/null', 'r+');
  try {
    const stdio: ('pipe' | 'ignore' | number)[] = ['pipe', 'pipe', 'pipe'];
    for (const fd of inheritedDescriptors()) {
      while (stdio.length < fd) stdio.push('ignore');
      stdio[fd] = nothing;
    }
    const options = { cwd, env: { ...run.env, TMPDIR: cwd }, detached: true, stdio };
    return spawn(run.path, run.args, options) as ChildProcessWithoutNullStreams;
  } finally {
    closeSync(nothing);
  }
}

function execute(run: ScriptRun, cwd: string, signal: AbortSignal): Promise<EffectResult> {
  return new Promise((resolve) => {
    const child = spawnBare(run, cwd);
    const output = new BoundedText(OUTPUT_MAX);
    let cause: 'timeout' | 'shutdown' | undefined;
    let ended = false;

    const killGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The group is gone already.
      }
    };
    const end = (result: EffectResult) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      // Children the script left behind go with it.
      killGroup();
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(result);
    };
    const stop = (why: 'timeout' | 'shutdown') => {
      cause ??= why;
      killGroup();
      setTimeout(() => end(stopped(why, output.text)), REAP_MS).unref();
    };
    const abort = () => stop('shutdown');
    const timer = setTimeout(() => stop('timeout'), run.timeoutMs);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });

    child.on('error', (error) => end({ kind: 'failed', reason: 'spawn_failed', detail: error.message }));
    child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.add(chunk));
    const exited = (code: number | null, killed: NodeJS.Signals | null) => {
      const detail = output.text;
      if (cause !== undefined) end(stopped(cause, detail));
      else if (code === 0) end({ kind: 'succeeded', detail });
      else end({ kind: 'failed', reason: 'exit_code', detail: `${killed ?? `exit ${code}`}: ${detail}` });
    };
    child.on('exit', (code, killed) => {
      // Once the rest of its group is gone the pipes end; a child that left the group may hold them open.
      killGroup();
      setTimeout(() => exited(code, killed), REAP_MS).unref();
    });
    child.on('close', exited);
    // A script that does not read its input is no error.
    child.stdin.on('error', () => {});
    child.stdin.end(run.stdin);
  });
}

/** It ran and was killed: what it did until then is not known. */
function stopped(cause: 'timeout' | 'shutdown', output: string): EffectResult {
  return { kind: 'ambiguous', reason: cause, detail: output };
}

class BoundedText {
  readonly #maximum: number;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  add(chunk: Buffer): void {
    const kept = chunk.subarray(0, this.#maximum - this.#bytes);
    if (kept.length === 0) return;
    this.#chunks.push(kept);
    this.#bytes += kept.length;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}
