import { spawn } from 'node:child_process';
import { join } from 'node:path';

const CHILD = join(import.meta.dirname, 'crash-child.ts');

/** Runs a responder on a data directory until it has caught up, or dies at the failpoint. The exit: null when it was killed. */
export function runChild(
  dataDir: string,
  {
    rulesDir,
    scriptsDir,
    connectionsFile,
  }: { readonly rulesDir: string; readonly scriptsDir: string; readonly connectionsFile?: string },
  failpoint = '',
  killAfterMs?: number,
): Promise<number | null> {
  return new Promise((resolve) => {
    const args = [CHILD, dataDir, rulesDir, scriptsDir, ...(connectionsFile === undefined ? [] : [connectionsFile])];
    const child = spawn('node', args, { env: { ...process.env, EYRIE_FAILPOINT: failpoint }, stdio: 'ignore' });
    if (killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    child.on('exit', (code) => resolve(code));
  });
}
