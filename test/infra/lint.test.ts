import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ask, isLeftOut } from './judge.ts';

const infra = new URL('../../infra/', import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), 'eyrie-lint-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Lays a changed copy of a file beside what it names. */
function changed(file: string, what: string | RegExp, instead: string): string {
  const text = readFileSync(join(infra, file), 'utf8');
  const other = text.replace(what, instead);
  expect(other).not.toBe(text);
  const path = join(scratch, file.split('/').at(-1) ?? '');
  writeFileSync(path, other);
  return path;
}

test.skipIf(isLeftOut('hadolint'))('hadolint finds nothing in the Dockerfile, and something in a worse one', () => {
  expect(ask('hadolint', [join(infra, 'docker/Dockerfile')])).toEqual({ code: 0, output: '' });
  const worse = changed('docker/Dockerfile', 'WORKDIR /app\nCOPY package', 'WORKDIR app\nCOPY package');
  expect(ask('hadolint', [worse]).output).toContain('DL3000');
});

const leftOut = isLeftOut('promtool');
test.skipIf(leftOut)('Prometheus takes its settings and the alerts', () => {
  expect(ask('promtool', ['check', 'config', join(infra, 'prometheus/prometheus.yml')])).toMatchObject({ code: 0 });
  const broken = changed('prometheus/alerts.yml', 'for: 2m', 'for: soon');
  expect(ask('promtool', ['check', 'rules', broken]).code).not.toBe(0);
});

test.skipIf(leftOut)('each alert comes when it should and not when it should not', () => {
  expect(ask('promtool', ['test', 'rules', join(infra, 'prometheus/alerts.test.yml')])).toMatchObject({ code: 0 });
});

test.skipIf(leftOut).each([
  ['never comes', /sum\(increase\(eyrie_store_retries_total\[10m\]\)\) > 5/, 'sum(eyrie_store_retries_total) > 1e9'],
  ['comes at once', /eyrie_bus_lag_seconds\) > 120/, 'eyrie_bus_lag_seconds) > 0'],
  ['does not see the first loss', /\(eyrie_bus_lost_records_total unless[^\n]*\n\s*or increase/, 'increase'],
])('an alert that %s is found', (_, what, instead) => {
  changed('prometheus/alerts.yml', what, instead);
  const tests = changed('prometheus/alerts.test.yml', /^#.*\n/, '');
  expect(ask('promtool', ['test', 'rules', tests]).code).not.toBe(0);
});
