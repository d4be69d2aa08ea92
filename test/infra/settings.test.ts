import { globSync, readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { CONFIG } from '../../services/cli/src/config.ts';
import { createProgram } from '../../services/cli/src/program.ts';
import { ERROR_CODES } from '../../services/platform/src/errors.ts';
import { render, VALUES } from './chart.ts';
import { isLeftOut } from './judge.ts';

const root = new URL('../../', import.meta.url).pathname;
const text = (file: string) => readFileSync(`${root}${file}`, 'utf8');
const program = createProgram();
const commands = (command: Command): Command[] => [command, ...command.commands.flatMap(commands)];
const KNOWN = new Set([
  ...Object.values(CONFIG).flatMap(({ shape }) => Object.keys(shape).flatMap((key) => [key, `${key}_FILE`])),
  ...commands(program).flatMap(({ options }) =>
    options.flatMap(({ envVar }) => (envVar === undefined ? [] : [envVar])),
  ),
  ...Object.keys(ERROR_CODES),
  // How many rounds the fault tests run; benchmarks state the command.
  'EYRIE_CHAOS',
]);

/** Names that stand in a text as settings and are none. A name that ends with `_` stands for those that begin so. */
function unknownSettings(written: string): string[] {
  const names = new Set(written.match(/\bEYRIE_[A-Z0-9_]+/g));
  return [...names].filter(
    (name) =>
      !KNOWN.has(name) &&
      !name.startsWith('EYRIE_TEST_') &&
      !(name.endsWith('_') && [...KNOWN].some((known) => known.startsWith(name))),
  );
}

/** What the program is started with and does not know: commands and options. */
function unknownCommand(words: readonly string[]): string[] {
  let command: Command = program;
  for (const word of words) {
    if (!word.startsWith('-') && command.commands.length === 0) continue;
    const [name = ''] = word.split('=');
    const next = command.commands.find((each) => each.name() === word);
    const isOption = command.options.some(({ long }) => long === name);
    if (next === undefined && !isOption) return [`${word} in ${words.join(' ')}`];
    if (next !== undefined) command = next;
  }
  return [];
}

test('every setting in infra and documents exists', () => {
  const files = ['README.md', ...globSync(['docker-compose*.yml', 'docs/**/*.md', 'infra/**/*'], { cwd: root })].filter(
    (file) => statSync(`${root}${file}`).isFile(),
  );
  expect(files.length).toBeGreaterThan(40);
  expect(files.flatMap((file) => unknownSettings(text(file)).map((name) => `${file}: ${name}`))).toEqual([]);
});

test('a setting that does not exist is found', () => {
  expect(unknownSettings('EYRIE_BUS EYRIE_SIGNING_KEY_FILE EYRIE_KAFKA_* EYRIE_DATA_DIR')).toEqual([]);
  expect(unknownSettings('EYRIE_BUSS EYRIE_KAFKA_BROKER=x EYRIE_NATS_*')).toEqual([
    'EYRIE_BUSS',
    'EYRIE_KAFKA_BROKER',
    'EYRIE_NATS_',
  ]);
});

test('the Compose file starts the program with commands that exist', () => {
  const { services } = parse(text('docker-compose.yml'), { merge: true });
  const started = Object.values(services as Record<string, { image: string; command: string[]; entrypoint?: unknown }>)
    .filter(({ image, entrypoint }) => image === 'eyrie:local' && entrypoint === undefined)
    .map(({ command }) => command);
  expect(started).toHaveLength(7);
  expect(started.flatMap(unknownCommand)).toEqual([]);
  expect(unknownCommand(['gatewai', '--data-dir', '/data'])).toEqual(['gatewai in gatewai --data-dir /data']);
  expect(unknownCommand(['topics', 'create', '--partition=1'])).toEqual([
    '--partition=1 in topics create --partition=1',
  ]);
});

test.skipIf(isLeftOut('helm'))('so does the chart', () => {
  const started = VALUES.flatMap((file) => render('-f', file))
    .flatMap(({ spec }) => spec?.template?.spec.containers ?? [])
    .map(({ args }) => args);
  expect(started.length).toBeGreaterThan(10);
  expect(started.flatMap(unknownCommand)).toEqual([]);
});
