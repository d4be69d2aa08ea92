import { spawnSync } from 'node:child_process';
import { findKubernetesApi, findTool, type Tool } from './tools.ts';

export interface Verdict {
  readonly code: number;
  /** Both streams. */
  readonly output: string;
}

const isRequired = process.env['CI'] !== undefined && process.env['EYRIE_TEST_INFRA'] !== 'none';

/**
 * Whether tests that need these tools are to be left out: they are not here, and nobody insists. In CI they must be
 * here unless `EYRIE_TEST_INFRA=none` says that they cannot be had; `make infra` fetches them.
 */
export function isLeftOut(...tools: readonly (Tool | 'kubernetes')[]): boolean {
  const missing = tools.filter((tool) => (tool === 'kubernetes' ? findKubernetesApi() : findTool(tool)) === undefined);
  if (missing.length > 0 && !isRequired)
    console.error(`LEFT OUT: checks by ${missing.join(', ')}; make infra fetches them`);
  return missing.length > 0 && !isRequired;
}

/** Asks a tool. @throws when it is not here */
export function ask(tool: Tool, args: readonly string[], options: { cwd?: string; input?: string } = {}): Verdict {
  const path = findTool(tool);
  if (path === undefined) throw new Error(`${tool} is not here: make infra fetches it`);
  const { status, stdout, stderr } = spawnSync(path, args, {
    ...options,
    encoding: 'utf8',
    timeout: 120_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { code: status ?? 1, output: `${stdout}${stderr}` };
}
