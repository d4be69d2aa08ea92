import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startHistory, type TestHistory } from '../history.test-support.ts';
import { createProgram } from '../program.ts';

let history: TestHistory;
let said = '';
let dir: string;
let file: string;

beforeAll(async () => {
  history = await startHistory();
  // One of class 3, which nothing ever runs here.
  const script = '#!/bin/sh\nexit 1\n';
  const path = join(history.scriptsDir, 'break');
  writeFileSync(path, script);
  chmodSync(path, 0o555);
  const sha256 = createHash('sha256').update(script).digest('hex');
  writeFileSync(`${path}.yaml`, `version: 1\nclass: 3\nsha256: ${sha256}\n`);
}, 60_000);
afterAll(() => history.remove());
beforeEach(() => {
  said = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
  dir = history.rules('promote', {});
  file = join(dir, 'leave-trace.yaml');
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

const rule = (script: string, namespace = '') => `version: 1
# Watched since November.
rules:
  - rule: Shells
    id: shells   # stable
    mode: dry_run   # for now
    match:
      rules: [Terminal shell in container]${namespace && `\n      output_fields: [k8s.ns.name=${namespace}]`}
    cooldown: 1h
    limits: { rule: 5/1h }
    actions:
      - { action: act, actionner: "shell:script", parameters: { script: ${script} } }
    tests:
      - name: a shell
        given: { event: { rule: Terminal shell in container, output_fields: { k8s.ns.name: "${namespace}" } } }
        expect: { decision: simulated }
      - name: no shell
        given: { event: { rule: Other } }
        expect: { decision: no_match }
`;
const ENFORCED = (text: string) => text.replace('mode: dry_run', 'mode: enforce').replace('simulated', 'executing');

function promote(...more: readonly string[]): Promise<unknown> {
  const args = ['rules', 'promote', 'shells', dir, '--to', 'enforce', '--data-dir', history.dataDir, ...more];
  return createProgram().parseAsync(['node', 'eyrie', ...args]);
}

describe('rules promote', () => {
  it('changes the mode and the tests in the file, keeps all else, and prints the difference', async () => {
    writeFileSync(file, rule('leave-trace'));
    await promote('--min-history', '0s');
    expect(readFileSync(file, 'utf8')).toBe(ENFORCED(rule('leave-trace')));
    expect(said).toContain('shells enforces from now on.');
    expect(said).toContain('5 actions, 5 on the busiest day');
    expect(said).toContain(
      '@@ line 6 @@\n-    mode: dry_run   # for now\n+    mode: enforce   # for now\n@@ line 16 @@\n-',
    );
    await expect(promote('--min-history', '0s')).rejects.toMatchObject({ message: 'shells enforces already' });
  });

  it.each([
    [[], /^shells stays as it is: the history found is 0 days long, less than 7$/],
    [['--min-history', '0s', '--max-per-day', '4'], /: 5 actions on [\d-]+, more than 4 a day$/],
  ])('refuses %j and leaves the file', async (options, message) => {
    writeFileSync(file, rule('leave-trace'));
    await expect(promote(...options)).rejects.toMatchObject({
      code: 'EYRIE_RULE_INVALID',
      message: expect.stringMatching(message),
    });
    expect(readFileSync(file, 'utf8')).toBe(rule('leave-trace'));
  });

  it('lets what breaks things touch only so large a part of a workload, as the inventory counts its pods', async () => {
    writeFileSync(file, rule('break', 'bank'));
    await expect(promote('--min-history', '0s')).rejects.toMatchObject({
      message: 'shells stays as it is: 3 of 3 pods of default/bank Deployment web: more than 25 % of a workload',
    });
    writeFileSync(file, rule('break', 'shop'));
    await expect(promote('--min-history', '0s', '--max-workload-share', '20%')).rejects.toMatchObject({
      message: expect.stringContaining('3 of 12 pods of default/shop Deployment web: more than 20 %'),
    });
    await promote('--min-history', '0s');
    expect(readFileSync(file, 'utf8')).toBe(ENFORCED(rule('break', 'shop')));
  });

  it('refuses under a policy that lets nothing enforce, and where the file cannot be changed alone', async () => {
    writeFileSync(file, rule('leave-trace'));
    writeFileSync(join(dir, 'policy.yaml'), 'version: 1\npolicy: { mode_ceiling: dry_run }\n');
    await expect(promote('--min-history', '0s')).rejects.toMatchObject({
      message: 'the policy lets no rule go further than dry_run',
    });
    writeFileSync(join(dir, 'policy.yaml'), 'version: 1\n');
    const other = rule('leave-trace').replace('mode: dry_run', 'mode: &m dry_run');
    writeFileSync(
      file,
      `${other}  - rule: Other\n    id: other\n    mode: *m\n    match: { rules: [x] }\n    actions: [{ action: a, actionner: "shell:script", parameters: { script: leave-trace } }]\n`,
    );
    const before = readFileSync(file, 'utf8');
    await expect(promote('--min-history', '0s')).rejects.toMatchObject({
      message: expect.stringContaining('change it by hand'),
    });
    expect(readFileSync(file, 'utf8')).toBe(before);
    writeFileSync(join(dir, 'policy.yaml'), 'version: 1\n');
  });

  it('knows fewer pods where nobody can be asked, and with --json says all in one value', async () => {
    await history.stop();
    writeFileSync(file, rule('break', 'shop'));
    await promote('--min-history', '0s', '--json');
    expect(JSON.parse(said)).toMatchObject({
      rule: 'shells',
      refusals: ['3 of 3 pods of default/shop Deployment web: more than 25 % of a workload'],
      changes: [],
      report: { rules: [{ mode: 'enforce', actions: 3 }] },
    });
    expect(process.exitCode).toBe(1);
  });
});
