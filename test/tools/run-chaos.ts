/**
 * `make chaos`: the full rounds, one after the other, and what came of them into docs/benchmarks.md. Ends with 1 when a
 * test failed or a suite ran none.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

interface Suite {
  readonly name: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}

const SUITES: readonly Suite[] = [
  {
    name: 'kill -9 at every failpoint and at random moments: 25 rounds of 50,000 events each, more for each failpoint',
    file: 'test/chaos/kill.test.ts',
    env: { EYRIE_CHAOS: 'full' },
  },
  {
    name: 'folding against the naive model: 105,000 random histories, and those of the other laws',
    file: 'test/chaos/folding.test.ts',
    env: { EYRIE_TEST_RUNS: '350' },
  },
  {
    name: 'on Kafka: 50 rounds of kill -9 at random moments, and at failpoints; 20 of sleep beyond the session; controls',
    file: 'test/distributed/chaos.test.ts',
    env: { EYRIE_CHAOS: 'full' },
  },
  {
    name: 'three brokers killed in turn, 10 rounds, and gone for 2 min; ClickHouse gone for 10 min, answers lost, inserts cut',
    file: 'test/distributed/outage.test.ts',
    env: { EYRIE_CHAOS: 'full' },
  },
  { name: '100,000 malformed bodies', file: 'test/malformed', env: { EYRIE_TEST_RUNS: '100' } },
  {
    name: 'secrets: 500 shapes in event text, and tokens in all that is written',
    file: 'test/acceptance/secrets.test.ts',
    env: { EYRIE_TEST_RUNS: '5' },
  },
];

interface Result {
  readonly passed: number;
  readonly failed: number;
  readonly minutes: number;
}

const PAGE = new URL('../../docs/benchmarks.md', import.meta.url).pathname;
const START = '<!-- chaos: written by make chaos -->';
const END = '<!-- /chaos -->';

function run({ file, env }: Suite, report: string): Result {
  const started = performance.now();
  spawnSync('vitest', ['run', file, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  const minutes = (performance.now() - started) / 60_000;
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: Number(numPassedTests), failed: Number(numFailedTests), minutes };
  } catch {
    return { passed: 0, failed: 1, minutes };
  }
}

function table(results: readonly (readonly [Suite, Result])[]): string {
  const rows = results.map(
    ([{ name, file }, { passed, failed, minutes }]) =>
      `| ${name} | \`${file}\` | ${passed} passed, ${failed} failed | ${minutes.toFixed(1)} min |`,
  );
  const when = new Date().toISOString().slice(0, 10);
  const where = `${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, Node ${process.versions.node}`;
  return [`${when}, ${where}:`, '', '| rounds | file | tests | took |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

const directory = mkdtempSync(join(tmpdir(), 'eyrie-chaos-report-'));
const results: (readonly [Suite, Result])[] = [];
for (const suite of SUITES) results.push([suite, run(suite, join(directory, 'report.json'))]);
rmSync(directory, { recursive: true, force: true });
const page = readFileSync(PAGE, 'utf8');
const [before, rest] = page.split(START);
const [, after] = (rest ?? '').split(END);
if (before === undefined || after === undefined) throw new Error(`${PAGE} has no place for the rounds`);
writeFileSync(PAGE, `${before}${START}\n${table(results)}\n${END}${after}`);
process.exitCode = results.every(([, { passed, failed }]) => passed > 0 && failed === 0) ? 0 : 1;
