import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkRules } from '@eyrie/responder';
import { afterAll, expect, it } from 'vitest';

const RULES = join(import.meta.dirname, '../../infra/response-rules');
const directory = mkdtempSync(join(tmpdir(), 'eyrie-rules-'));
const connectionsFile = join(directory, 'connections.yaml');
writeFileSync(join(directory, 'token'), 'x');
writeFileSync(
  connectionsFile,
  'version: 1\nclusters: [{cluster: lab, server: "https://127.0.0.1", token_file: token}]\n',
);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('every rule of the library is sound, tested both ways, in dry run', async () => {
  const { rules, tests, problems } = await checkRules(RULES, { connectionsFile });
  expect(problems).toEqual([]);
  expect(rules.length).toBeGreaterThan(6);
  expect(new Set(rules.map(({ mode }) => mode))).toEqual(new Set(['dry_run']));
  expect(tests.passed).toBeGreaterThanOrEqual(2 * rules.length);
});
