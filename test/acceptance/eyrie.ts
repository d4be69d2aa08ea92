import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReplayResult } from '../../services/cli/src/replay-result.ts';

export const MAIN = new URL('../../services/cli/src/main.ts', import.meta.url).pathname;

/** A shell in a container, without its time. */
export const EVENT = {
  hostname: 'node-1',
  output: 'shell',
  output_fields: { 'container.id': '0123456789ab', 'proc.cmdline': 'sh -c id', 'proc.name': 'sh' },
  priority: 'Notice',
  rule: 'Terminal shell in container',
  source: 'syscall',
  tags: ['container', 'mitre_execution', 'shell'],
};

/** Posts so many shells; those of each `post` have other times, so every one is another event. Gives the answer. */
export async function postShells(
  { gateway, intake_token: token }: { readonly gateway: string; readonly intake_token: string },
  post: number,
  count: number,
): Promise<unknown> {
  const events = Array.from({ length: count }, (_, index) => ({
    ...EVENT,
    time: `2026-11-20T10:00:00.${String(post * count + index).padStart(9, '0')}Z`,
  }));
  const answer = await fetch(`${gateway}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  return answer.json();
}

/** Runs the command line to its end. */
export async function eyrie(
  args: readonly string[],
  options: { input?: string; env?: Record<string, string>; cwd?: string } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...options.env },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

export async function replay(
  args: readonly string[],
  input?: string,
  env: Record<string, string> = {},
): Promise<ReplayResult> {
  const { code, stdout, stderr } = await eyrie(['replay', ...args, '--json'], {
    env,
    ...(input === undefined ? {} : { input }),
  });
  if (code !== 0) throw new Error(`replay ended with ${code}: ${stderr}`);
  const lines = stdout.trim().split('\n');
  if (lines.length !== 1) throw new Error(`replay printed ${lines.length} lines`);
  return JSON.parse(lines[0] ?? '') as ReplayResult;
}

/** Sum of all outcomes of all stages. */
export function sumOfOutcomes(result: ReplayResult): number {
  let sum = 0;
  for (const stage of Object.values(result.outcomes)) {
    for (const reasons of Object.values(stage)) for (const n of Object.values(reasons)) sum += n;
  }
  return sum;
}

/** Directory of real data, where it is there: it is not part of the project. */
const REAL_DATA = process.env['EYRIE_TEST_DATA'] ?? join(process.cwd(), '../shared/data');
export const hasRealData = existsSync(join(REAL_DATA, 'falco'));

export function realFalcoFiles(): string[] {
  const directory = join(REAL_DATA, 'falco');
  return readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl') || name.endsWith('.log'))
    .sort()
    .map((name) => join(directory, name));
}

export function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
