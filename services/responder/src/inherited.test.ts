import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

// A parent shell gives this node a descriptor it inherits without close-on-exec, as a native library would leave one.
test.runIf(process.platform === 'linux')('a script gets nothing of a descriptor that is not close-on-exec', () => {
  const directory = mkdtempSync(join(tmpdir(), 'eyrie-inherited-'));
  try {
    const secret = join(directory, 'secret');
    writeFileSync(secret, 'secret');
    const script = join(directory, 'script');
    writeFileSync(script, '#!/bin/sh\nls -l /proc/self/fd\ncat <&7\n', { mode: 0o755 });
    const module = JSON.stringify(new URL('./run-script.ts', import.meta.url).href);
    const code =
      `const { runScript } = await import(${module});` +
      `const run = { path: ${JSON.stringify(script)}, args: [], env: { PATH: '/usr/bin:/bin' }, stdin: '', timeoutMs: 9000 };` +
      'console.log(JSON.stringify(await runScript(run, new AbortController().signal)));';
    const shell = `exec 7<${secret}; exec "$0" --input-type=module -e "$1"`;
    const { stdout, stderr } = spawnSync('/bin/sh', ['-c', shell, process.execPath, code], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toContain('/dev/null');
    expect(stdout).not.toContain('secret');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
