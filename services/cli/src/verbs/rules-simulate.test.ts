import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@eyrie/platform/errors';
import { selectOverSocket } from '@eyrie/platform/store/sql-client';
import { type Select, type SimulationReport, simulateRules } from '@eyrie/responder';
import type { ClusterId, TenantId } from '@eyrie/schemas';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { EMBEDDED, readConfig } from '../config.ts';
import { writeTraceResponse } from '../demo/response.ts';
import { type Pipeline, startPipeline } from '../pipeline.ts';
import { createProgram } from '../program.ts';
import { appendFiles } from '../raw-files.ts';

/** One shell in a container: a name of its own makes an alert of its own, the container is the target. */
function shell(n: number, container: string, namespace: string): string {
  const name = `sh${'abcdefghijkl'[n]}`;
  return JSON.stringify({
    hostname: 'node-1',
    output: `shell ${n}`,
    output_fields: {
      'container.id': container,
      'k8s.ns.name': namespace,
      'proc.cmdline': `${name} -i`,
      'proc.name': name,
    },
    priority: 'Notice',
    rule: 'Terminal shell in container',
    source: 'syscall',
    tags: ['container', 'shell'],
    time: new Date(Date.now() - 60_000 + n).toISOString().replace('Z', '000000Z'),
  });
}

/** Six containers with two alerts each: the second finds the target cooling down, and the limit is reached before the last. */
const LINES = Array.from({ length: 12 }, (_, n) =>
  shell(n, `c${String(Math.floor(n / 2)).padStart(11, '0')}`, n < 6 ? 'shop' : 'bank'),
);
const RULE = { cooldown: '1h', limits: { rule: '5/1h' } };

let path: string;
let dataDir: string;
let pipeline: Pipeline | undefined;
let said = '';

/** A directory of rules whose one rule differs in this from the live one. */
function rulesWith(name: string, more: Readonly<Record<string, unknown>>): string {
  const { rules } = writeTraceResponse(join(path, name), { trace: join(path, 'trace'), match: MATCH });
  const file = join(rules, 'leave-trace.yaml');
  const rule = {
    rule: 'Leave a trace',
    id: 'leave-trace',
    mode: 'enforce',
    match: MATCH,
    ...more,
    actions: [{ action: 'trace', actionner: 'shell:script', parameters: { script: 'leave-trace' } }],
  };
  writeFileSync(file, JSON.stringify({ version: 1, rules: [rule] }));
  return rules;
}
const MATCH = { rules: ['Terminal shell in container'], output_fields: ['k8s.ns.name!=nowhere'] };

beforeAll(async () => {
  path = mkdtempSync(join(tmpdir(), 'eyrie-simulate-'));
  dataDir = join(path, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  const rulesDir = rulesWith('live', RULE);
  process.env['EYRIE_SCRIPTS_DIR'] = join(path, 'live', 'scripts');
  const config = readConfig({ ...process.env, ...EMBEDDED, EYRIE_LOG_LEVEL: 'error', EYRIE_RULES_DIR: rulesDir });
  pipeline = await startPipeline({ dataDir, config, roles: new Set(['processor', 'archiver', 'responder']) });
  const file = join(path, 'events.jsonl');
  writeFileSync(file, `${LINES.join('\n')}\n`);
  await appendFiles(pipeline.bus, [file], {
    tenant: 'default' as TenantId,
    cluster: 'default' as ClusterId,
    now: pipeline.clock.now,
    onBytes: () => {},
  });
  await pipeline.finish();
}, 60_000);

afterAll(async () => {
  delete process.env['EYRIE_SCRIPTS_DIR'];
  await pipeline?.stop();
  rmSync(path, { recursive: true, force: true });
});
beforeEach(() => {
  said = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

async function simulate(rulesDir: string, ...more: readonly string[]): Promise<SimulationReport> {
  said = '';
  const args = ['node', 'eyrie', 'rules', 'simulate', rulesDir, '--data-dir', dataDir, '--json', ...more];
  await createProgram().parseAsync(args);
  return JSON.parse(said) as SimulationReport;
}

describe('rules simulate', () => {
  it('decides of the same history what the live rule decided: match, cooldown, limit', async () => {
    const report = await simulate(rulesWith('same', RULE));
    expect(report.history).toMatchObject({ events: 12 });
    expect(report.rules).toMatchObject([
      { rule: 'leave-trace', actions: 5, guard_unknown: 0, suppressed: { cooldown: 5, limit_rule: 2 }, alerts: 5 },
    ]);
    expect(report.ledger).toEqual({
      same: 12,
      different: 0,
      live_only: 0,
      simulated_only: 0,
      carried_over: 0,
      complete: true,
      examples: [],
    });
    const day = new Date().toISOString().slice(0, 10);
    expect(report.by_day.filter((cell) => cell.day === day)).toEqual(report.by_day);
    expect(Object.fromEntries(report.by_day.map(({ namespace, actions }) => [namespace, actions]))).toEqual({
      shop: 3,
      bank: 2,
    });
  });

  it('would show another cooldown, another limit and another match (negative control)', async () => {
    const noCooldown = await simulate(rulesWith('other', { ...RULE, cooldown: '0s' }));
    expect(noCooldown.rules).toMatchObject([{ actions: 5, suppressed: { limit_rule: 7 } }]);
    expect(noCooldown.ledger.different).toBeGreaterThan(0);
    expect(noCooldown.ledger.examples[0]).toMatchObject({ live: 'suppressed cooldown', simulated: 'acts' });
    const wider = await simulate(rulesWith('other', { ...RULE, limits: {} }));
    expect(wider.ledger).toMatchObject({ same: 10, different: 2 });
    const narrower = await simulate(rulesWith('other', { ...RULE, match: { ...MATCH, tags: ['none'] } }));
    expect(narrower.ledger).toMatchObject({ same: 0, live_only: 12 });
  });

  it('says it in words, and that nothing is stored of another time', async () => {
    await createProgram().parseAsync([
      'node',
      'eyrie',
      'rules',
      'simulate',
      rulesWith('same', RULE),
      '--data-dir',
      dataDir,
    ]);
    expect(said).toContain('Against the ledger: 12 decided the same, 0 otherwise');
    const before = await simulate(rulesWith('same', RULE), '--from', '3d', '--to', '2d');
    expect(before).toMatchObject({
      history: { events: 0, days: 0 },
      rules: [{ actions: 0 }],
      ledger: { live_only: 0 },
    });
  });

  it('gives the same where answers are so small that every page holds two rows', async () => {
    const asked: string[] = [];
    const select: Select = async (sql, options) => {
      if (Number(/LIMIT (\d+)$/.exec(sql)?.[1] ?? 0) > 2) throw new AppError('EYRIE_SQL_LIMIT', 'too many bytes');
      asked.push(sql);
      return selectOverSocket(dataDir, sql, options);
    };
    const to = Date.now();
    const { ledger, rules } = await simulateRules(rulesWith('same', RULE), select, {
      paths: { scriptsDir: join(path, 'live', 'scripts') },
      span: { from: to - 3_600_000, to },
      partitions: 1,
    });
    expect(ledger).toMatchObject({ same: 12, different: 0, live_only: 0, simulated_only: 0 });
    expect(rules).toMatchObject([{ actions: 5 }]);
    expect(asked.filter((sql) => sql.includes('FROM eyrie.events') && sql.includes('LIMIT 2')).length).toBeGreaterThan(
      5,
    );
  });

  it('reads a data directory that nobody runs', async () => {
    await pipeline?.stop();
    pipeline = undefined;
    expect((await simulate(rulesWith('same', RULE))).ledger).toMatchObject({ same: 12, live_only: 0 });
  });
});
