import { globSync, readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { CONFIG } from '../../services/cli/src/config.ts';
import { createProgram } from '../../services/cli/src/program.ts';
import { ERROR_CODES } from '../../services/platform/src/errors.ts';

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
