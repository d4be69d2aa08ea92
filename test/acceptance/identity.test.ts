import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInput } from '../../bench/input.ts';
import { startEyrie, temporaryDirectory } from '../../bench/process.ts';
import { selectOverSocket } from '../../services/platform/src/store/sql-client.ts';
import { SHIPPERS } from '../../services/processor/src/testing/shippers.ts';
import { rewriteAsSidekick } from '../../services/processor/src/testing/sidekick.ts';
import { hasRealData, linesOf, realFalcoFiles, replay, sumOfOutcomes } from './eyrie.ts';

/**
 * One set of observations by every way it may come: the store must hold the same events and people must see the same
 * alerts. All within one window, so that order may not matter.
 */
const EVENTS = 1_200;
const directory = temporaryDirectory('identity');
afterAll(() => directory.remove());

const lines = [...createInput({ seed: 11, workloads: 8 }).lines(EVENTS), ...long(), ...twins()];

/** Beyond 4,096 bytes falcosidekick cuts what is longer than 512 bytes. */
function long(): string[] {
  return [1, 2].map((n) =>
    observation(n, { 'proc.cmdline': `python3 -c ${'x'.repeat(700)}${n}`, 'proc.pcmdline': 'ä'.repeat(2_500) }),
  );
}

/** Equal in time, host and rule; one process apart. */
function twins(): string[] {
  return [4_001, 4_002].map((pid) => observation(7, { 'proc.cmdline': 'cat /etc/shadow', 'proc.pid': pid }));
}

function observation(n: number, fields: Record<string, unknown>): string {
  return JSON.stringify({
    hostname: 'node-1',
    output: `event ${n}`,
    output_fields: { 'container.id': '0123456789ab', 'fd.name': '/etc/shadow', 'proc.name': 'cat', ...fields },
    priority: 'Warning',
    rule: 'Read sensitive file untrusted',
    source: 'syscall',
    tags: ['container', 'T1555'],
    time: `2026-01-05T00:00:01.${String(n).padStart(9, '0')}Z`,
  });
}

function asSidekick(line: string, index: number): string {
  const uuid = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
  const rewritten = rewriteAsSidekick(line, { uuid, customFields: { cluster: 'east' }, customTags: ['extra'] });
  if (rewritten === undefined) throw new Error(`falcosidekick refuses ${line}`);
  return rewritten;
}

/** One shipper after the other. */
function asShipped(line: string, index: number): string {
  const shippers = Object.values(SHIPPERS);
  return shippers[index % shippers.length]?.(line) ?? line;
}

/** Always the same order for the same lines. */
function shuffled(all: readonly string[]): string[] {
  const keyed = all.map((line, index) => [Math.imul(index + 1, 0x9e3779b1) >>> 0, line] as const);
  return keyed.sort(([a], [b]) => a - b).map(([, line]) => line);
}

interface Seen {
  readonly ids: string;
  readonly alerts: readonly unknown[];
}

/** What a data directory shows once all of `routes` went through it, one after the other. */
async function seen(
  name: string,
  routes: readonly (readonly string[])[],
  env: Record<string, string> = {},
): Promise<Seen> {
  const dataDir = join(directory.path, name);
  mkdirSync(dataDir, { mode: 0o700 });
  for (const [index, route] of routes.entries()) {
    const file = join(directory.path, `${name}-${index}.jsonl`);
    writeFileSync(file, `${route.join('\n')}\n`);
    const result = await replay([file, '--data-dir', dataDir], undefined, env);
    expect(sumOfOutcomes(result)).toBe(route.length);
    expect(result.reconciliation).toBe(0);
    expect(result.dead_letters).toBe(0);
  }
  const running = await startEyrie(dataDir, { env });
  try {
    const select = async (sql: string) => (await selectOverSocket(dataDir, sql, { maxRows: 10_000 })).rows;
    const [ids] = await select(
      "SELECT concat(toString(count()), ' rows ', toString(groupBitXor(cityHash64(event_id)))) FROM events",
    );
    const alerts = await select(
      'SELECT rule, namespace, workload, priority, count, toString(first_seen), toString(last_seen), disposition FROM alerts ORDER BY ALL',
    );
    return { ids: String(ids?.[0]), alerts };
  } finally {
    await running.stop();
  }
}

describe('one observation has one identity, by whatever way it comes', () => {
  let plain: Seen;
  beforeAll(async () => {
    plain = await seen('plain', [lines]);
  }, 60_000);

  it('holds every observation once, twins as two', () => {
    expect(plain.ids).toMatch(new RegExp(`^${lines.length} rows`));
    expect(plain.alerts.length).toBeGreaterThan(50);
    expect(plain.alerts.length).toBeLessThan(lines.length / 4);
  });

  it.each([
    { name: 'shuffled', routes: [shuffled(lines)] },
    { name: 'sidekick', routes: [lines.map(asSidekick)] },
    { name: 'doubled', routes: [lines.flatMap((line, index) => [line, asSidekick(line, index)])] },
    { name: 'shipped', routes: [lines.map(asShipped), shuffled(lines).map(asShipped)] },
    { name: 'second-route', routes: [lines, shuffled(lines).map(asSidekick)] },
  ])(
    'shows the same when it comes $name',
    async ({ name, routes }) => {
      expect(await seen(name, routes)).toEqual(plain);
    },
    90_000,
  );

  it('shows the same from three partitions', async () => {
    expect(await seen('three', [lines, lines.map(asSidekick)], { EYRIE_BUS_PARTITIONS: '3' })).toEqual(plain);
  }, 90_000);

  it('would show one event more or less', async () => {
    const other = await seen('other', [[...lines.slice(1), observation(9, { 'proc.pid': 1 })]]);
    expect(other.ids).not.toBe(plain.ids);
    expect(other.alerts).not.toEqual(plain.alerts);
  }, 60_000);
});

it.skipIf(!hasRealData)(
  'knows real events again when falcosidekick sends them too',
  async () => {
    const all = realFalcoFiles().flatMap(linesOf);
    const events = all.filter((line) => {
      try {
        return rewriteAsSidekick(line, { uuid: '-' }) !== undefined;
      } catch {
        return false;
      }
    });
    const [once, twice] = [await seen('real', [all]), await seen('real-twice', [all, events.map(asSidekick)])];
    expect(events.length).toBeGreaterThan(500);
    expect(twice).toEqual(once);
  },
  120_000,
);
