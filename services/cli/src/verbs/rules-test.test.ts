import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectOverSocket } from '@eyrie/platform/store/sql-client';
import type { MadeTest } from '@eyrie/responder';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { startHistory, type TestHistory } from '../history.test-support.ts';
import { createProgram } from '../program.ts';
import { testYaml } from './rules-test.ts';

let history: TestHistory;
let alertId: string;
const said = { stdout: '', stderr: '' };

beforeAll(async () => {
  history = await startHistory();
  const sql = "SELECT alert_id FROM eyrie.alerts WHERE process_name = 'sha'";
  alertId = String((await selectOverSocket(history.dataDir, sql)).rows[0]?.[0]);
}, 60_000);
afterAll(() => history.remove());
beforeEach(() => {
  for (const stream of ['stdout', 'stderr'] as const) {
    said[stream] = '';
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      said[stream] += String(text);
      return true;
    });
  }
});
afterEach(() => vi.restoreAllMocks());

function run(...args: readonly string[]): Promise<unknown> {
  return createProgram().parseAsync(['node', 'eyrie', 'rules', ...args]);
}
const make = (dir: string, ...more: readonly string[]) =>
  run('test', dir, '--from-alert', alertId, '--rule', 'leave-trace', '--data-dir', history.dataDir, ...more);

/** The rule with the test that was printed, in its file. */
async function check(dir: string): Promise<string> {
  const file = join(dir, 'leave-trace.yaml');
  const written = JSON.parse(readFileSync(file, 'utf8')) as { rules: { tests?: unknown }[] };
  for (const rule of written.rules) rule.tests = parse(said.stdout);
  writeFileSync(file, JSON.stringify(written));
  said.stdout = '';
  await run('check', dir);
  return said.stdout;
}

describe('rules test', () => {
  it.each([
    ['acts', {}, 'executing'],
    ['acts in dry run', { mode: 'dry_run' }, 'simulated'],
    ['acts on a place', { match: { where: 'workload == "web" and namespace == "shop"' } }, 'executing'],
    ['acts on a column of the event', { match: { where: 'process_name == "sha" and tty != 1' } }, 'no_match'],
    ['acts on a process', { match: { where: 'process_name == "sha"' } }, 'executing'],
    ['leaves it for a field', { match: { output_fields: ['k8s.ns.name=bank'] } }, 'no_match'],
    ['leaves it for its score', { match: { score: '<0.000001' } }, 'no_match'],
  ])('makes a test that holds: %s', async (name, more, decision) => {
    const dir = history.rules(`test-${name.replaceAll(' ', '-')}`, more);
    await make(dir);
    expect(parse(said.stdout)).toMatchObject([
      {
        name: expect.stringMatching(`^alert ${alertId}, opened 2`),
        given: { event: { rule: 'Terminal shell in container', output_fields: { 'proc.name': 'sha' } } },
        expect: { decision },
      },
    ]);
    expect(said.stderr).toBe('');
    expect(await check(dir)).toContain('1 tests passed, 0 failed');
    // And no longer once the rule decides otherwise.
    const file = join(dir, 'leave-trace.yaml');
    const other = decision === 'no_match' ? { rules: ['Terminal shell in container'] } : { rules: ['Other'] };
    const changed = JSON.parse(readFileSync(file, 'utf8')) as { rules: { match: unknown }[] };
    for (const rule of changed.rules) rule.match = other;
    writeFileSync(file, JSON.stringify(changed));
    await expect(run('check', dir)).rejects.toMatchObject({ code: 'EYRIE_RULE_INVALID' });
  });

  it('names only the columns the rule needs, the score, and what people said', async () => {
    await make(history.rules('columns', {}), '--json');
    const { test, alert_id } = JSON.parse(said.stdout) as MadeTest;
    expect(alert_id).toBe(alertId);
    expect(test.given.columns).toMatchObject({ namespace: 'shop', workload: 'web', workload_kind: 'Deployment' });
    expect(test.given.columns).not.toHaveProperty('process_name');
    expect(test.given.score).toBeGreaterThan(0);
    expect(test.expect).toEqual({ decision: 'executing', plan: ['trace'] });
  });

  it('says which rule or alert is not there', async () => {
    const dir = history.rules('missing', {});
    const ask = (alert: string, rule: string) =>
      run('test', dir, '--from-alert', alert, '--rule', rule, '--data-dir', history.dataDir);
    await expect(ask(alertId, 'no')).rejects.toMatchObject({
      code: 'EYRIE_USAGE',
      message: expect.stringMatching(/"no"; there: leave-trace/),
    });
    await expect(ask("x' OR 1 --", 'leave-trace')).rejects.toMatchObject({ code: 'EYRIE_USAGE' });
  });

  it('lets no text of an event act on a terminal or leave its quotes', () => {
    const evil = {
      [`a\u202eb: [`]: '\u001b[2J\r\n- name: x\n\u009b# "\'',
      plain: 'yes',
      '#': '- x',
      multi: 'a\nb: c\n',
    };
    const test = {
      name: 'x',
      given: { event: { rule: 'R', output_fields: evil } },
      expect: { decision: 'no_match' as const },
    };
    const yaml = testYaml({ test, verdict: 'benign' });
    expect(parse(yaml)).toEqual([test]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(yaml).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(yaml).toMatch(/^# Judged: benign\. /);
  });
});
