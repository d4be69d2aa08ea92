import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { FALCO_LINES, HEALTH_LINES, REJECTED_LINES } from '@eyrie/schemas/fixtures';

/** Lines of the real data where it is at hand, by file; always the written forms. */
export function falcoFiles(): ReadonlyMap<string, readonly Buffer[]> {
  const files = new Map<string, readonly Buffer[]>();
  const written = [...Object.values(FALCO_LINES), ...Object.values(HEALTH_LINES), ...Object.values(REJECTED_LINES), ''];
  files.set(
    'written forms',
    written.map((line) => Buffer.from(line)),
  );
  const directory = join(env['EYRIE_TEST_DATA'] ?? '../shared/data', 'falco');
  if (!existsSync(directory)) return files;
  for (const name of readdirSync(directory).sort()) files.set(name, linesOf(readFileSync(join(directory, name))));
  return files;
}

function linesOf(content: Buffer): readonly Buffer[] {
  const lines = content
    .toString('latin1')
    .split('\n')
    .map((line) => Buffer.from(line, 'latin1'));
  return lines.at(-1)?.length === 0 ? lines.slice(0, -1) : lines;
}
