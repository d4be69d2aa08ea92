import { AppError } from '@eyrie/platform/errors';
import { selectOverSocket } from '@eyrie/platform/store/sql-client';
import { type Select, type SimulationReport, simulateRules } from '@eyrie/responder';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { MATCH, RULE, startHistory, type TestHistory } from '../history.test-support.ts';
import { createProgram } from '../program.ts';

let history: TestHistory;
let said = '';
beforeAll(async () => {
  history = await startHistory();
}, 60_000);
afterAll(() => history.remove());
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
  const args = ['rules', 'simulate', rulesDir, '--data-dir', history.dataDir, '--json', ...more];
  await createProgram().parseAsync(['node', 'eyrie', ...args]);
  return JSON.parse(said) as SimulationReport;
}

describe('rules simulate', () => {
  it('decides of the same history what the live rule decided: match, cooldown, limit', async () => {
    const report = await simulate(history.rules('same', RULE));
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
    const noCooldown = await simulate(history.rules('other', { ...RULE, cooldown: '0s' }));
    expect(noCooldown.rules).toMatchObject([{ actions: 5, suppressed: { limit_rule: 7 } }]);
    expect(noCooldown.ledger.different).toBeGreaterThan(0);
    expect(noCooldown.ledger.examples[0]).toMatchObject({ live: 'suppressed cooldown', simulated: 'acts' });
    const wider = await simulate(history.rules('other', { ...RULE, limits: {} }));
    expect(wider.ledger).toMatchObject({ same: 10, different: 2 });
    const narrower = await simulate(history.rules('other', { ...RULE, match: { ...MATCH, tags: ['none'] } }));
    expect(narrower.ledger).toMatchObject({ same: 0, live_only: 12 });
  });

  it('says it in words, and that nothing is stored of another time', async () => {
    await createProgram().parseAsync([
      'node',
      'eyrie',
      'rules',
      'simulate',
      history.rules('same', RULE),
      '--data-dir',
      history.dataDir,
    ]);
    expect(said).toContain('Against the ledger: 12 decided the same, 0 otherwise');
    const before = await simulate(history.rules('same', RULE), '--from', '3d', '--to', '2d');
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
      return selectOverSocket(history.dataDir, sql, options);
    };
    const to = Date.now();
    const { ledger, rules } = await simulateRules(history.rules('same', RULE), select, {
      paths: { scriptsDir: history.scriptsDir },
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
    await history.stop();
    expect((await simulate(history.rules('same', RULE))).ledger).toMatchObject({ same: 12, live_only: 0 });
  });
});
