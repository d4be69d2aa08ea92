import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

// At its start Node sets close-on-exec on the descriptors up to 15; one above stays as a native library would leave it.
const INHERITED = 30;

test.runIf(process.platform === 'linux')('a script gets nothing of a descriptor that is not close-on-exec', () => {
  const directory = mkdtempSync(join(tmpdir(), 'eyrie-inherited-'));
  try {
    const secret = join(directory, 'secret');
    writeFileSync(secret, 'secret');
    const script = join(directory, 'script');
    writeFileSync(script, `#!/bin/sh\ncat /proc/self/fd/${INHERITED}\necho "end: $?"\n`, { mode: 0o755 });
    const module = JSON.stringify(new URL('./run-script.ts', import.meta.url).href);
    const code =
      `const { runScript } = await import(${module});` +
      `const run = { path: ${JSON.stringify(script)}, args: [], scratchDir: ${JSON.stringify(directory)}, env: { PATH: '/usr/bin:/bin' }, stdin: '', timeoutMs: 9000 };` +
      'console.log(JSON.stringify(await runScript(run, new AbortController().signal)));';
    const stdio: ('pipe' | 'ignore' | number)[] = new Array(INHERITED).fill('ignore').fill('pipe', 0, 3);
    const descriptor = openSync(secret, 'r');
    stdio.push(descriptor);
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      stdio,
    });
    closeSync(descriptor);
    expect(`${stdout}${stderr}`).toContain('end: 0');
    expect(stdout).not.toContain('secret');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
