import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { createProgram } from '../program.ts';

let path: string;
const said = { stdout: '', stderr: '' };
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'eyrie-import-'));
  for (const stream of ['stdout', 'stderr'] as const) {
    said[stream] = '';
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      said[stream] += String(text);
      return true;
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
  rmSync(path, { recursive: true, force: true });
});

const GOOD =
  '- rule: Kill\n  match: {rules: [Shell], output_fields: ["k8s.ns.name!=falco"]}\n  actions: [{action: A, actionner: kubernetes:terminate}]\n';
const BAD = '- rule: "Bad\\u001b[2J"\n  match: {rules: [X]}\n  actions: [{action: A, actionner: kubernetes:delete}]\n';

function run(text: string, ...more: readonly string[]) {
  const file = join(path, 'talon.yaml');
  writeFileSync(file, text);
  return createProgram().parseAsync(['node', 'eyrie', 'rules', 'import', file, ...more]);
}

it('prints the rule file, and what became of each rule beside it', async () => {
  await run(GOOD, '--from', 'talon');
  expect(parse(said.stdout)).toMatchObject({ version: 1, rules: [{ id: 'kill', mode: 'dry_run' }] });
  expect(said.stderr).toMatch(
    /^imported kill \(Kill\) .*talon\.yaml:1\n {2}absent_passes .*talon\.yaml:2: match\.output_fields\.0: /,
  );
  expect(said.stderr).toMatch(/\n1 imported, all in dry_run; 0 refused\n$/);
});

it('fails when a rule is refused, prints the others, and lets no text of the file act on the terminal', async () => {
  await expect(run(GOOD + BAD, '--from', 'talon')).rejects.toMatchObject({
    code: 'EYRIE_RULE_INVALID',
    message: '1 refused, 1 imported',
  });
  expect(parse(said.stdout)).toMatchObject({ rules: [{ id: 'kill' }] });
  expect(said.stderr).toMatch(
    /REFUSED {2}Bad\ufffd\[2J\n {2}.*talon\.yaml:6: actions\.0\.actionner: kubernetes:delete is not among/,
  );
  expect(said.stderr + said.stdout).not.toContain('\u001b');
});

it('with --json prints one value, which holds all', async () => {
  await run(GOOD + BAD, '--from', 'talon', '--json');
  expect(said.stderr).toBe('');
  const report = JSON.parse(said.stdout) as Record<string, unknown>;
  expect(report).toMatchObject({
    imported: [
      { id: 'kill', flags: expect.arrayContaining([expect.objectContaining({ code: 'absent_passes', line: 2 })]) },
    ],
    refused: [{ problems: [{ line: 6, key: 'actions.0.actionner' }] }],
  });
  expect(parse(String(report['yaml']))).toMatchObject({ rules: [{ id: 'kill' }] });
  expect(process.exitCode).toBe(1);
});

it('writes to a new file, and never over one', async () => {
  const out = join(path, 'rules.yaml');
  await run(GOOD, '--from', 'talon', '--out', out);
  expect(said.stdout).toBe('');
  expect(parse(readFileSync(out, 'utf8'))).toMatchObject({ rules: [{ id: 'kill' }] });
  await expect(run(GOOD, '--from', 'talon', '--out', out)).rejects.toMatchObject({
    code: 'EYRIE_USAGE',
    message: `${out} is there already`,
  });
  await expect(run(GOOD, '--from', 'talon', '--out', join(out, 'x'))).rejects.toMatchObject({
    message: `${join(out, 'x')} cannot be written`,
  });
});

it('writes no file when nothing was imported', async () => {
  const out = join(path, 'rules.yaml');
  await expect(run(BAD, '--from', 'talon', '--out', out)).rejects.toMatchObject({ message: '1 refused, 0 imported' });
  expect(existsSync(out)).toBe(false);
});

it.each([[[]], [['--from', 'falcosidekick']]])('says whose rules it reads: %j', async (options) => {
  await expect(run(GOOD, ...options)).rejects.toMatchObject({ code: expect.stringMatching(/^commander\./) });
});
