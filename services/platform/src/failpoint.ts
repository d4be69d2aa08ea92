/**
 * Places where a test ends the process: `EYRIE_FAILPOINT=name` or `name:n` kills it (SIGKILL) the n-th time it is
 * passed, `name:n:error` throws instead, `name:n:stop` stops it there (SIGSTOP) until it is told to go on. Nothing is
 * configured in production, and then a pass costs one comparison.
 */
export const FAILPOINTS = [
  'before-log-commit',
  'after-log-commit',
  'before-state-commit',
  'after-state-commit',
  'before-clickhouse-insert',
  'after-clickhouse-insert',
  'before-position-commit',
  'after-position-commit',
  'before-intent',
  'after-intent',
  'before-effect',
  'after-effect',
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

const [armedName, armedCount = '1', armedKind = 'kill'] = (process.env['EYRIE_FAILPOINT'] ?? '').split(':');
let passes = 0;

export function failpoint(name: Failpoint): void {
  if (name !== armedName) return;
  passes += 1;
  if (passes !== Number(armedCount)) return;
  if (armedKind === 'error') throw new Error(`failpoint ${name}`);
  process.kill(process.pid, armedKind === 'stop' ? 'SIGSTOP' : 'SIGKILL');
}
