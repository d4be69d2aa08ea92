import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { SQL_DIRECTORY } from '@eyrie/schemas/sql';
import { AppError } from '../errors.ts';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file as it stands, before values are filled in. */
  readonly checksum: string;
}

/** Reads `NNNN_name.sql` in order. @throws AppError EYRIE_STORE_MIGRATION for gaps and misnamed files */
export function readMigrations(directory: URL = SQL_DIRECTORY): readonly Migration[] {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .sort();
  return files.map((file, index) => {
    const match = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file);
    const sql = readFileSync(new URL(file, directory), 'utf8');
    if (match === null || Number(match[1]) !== index + 1) {
      throw new AppError(
        'EYRIE_STORE_MIGRATION',
        `${file}: expected a file ${String(index + 1).padStart(4, '0')}_name.sql`,
      );
    }
    return { number: index + 1, name: match[2] ?? '', sql, checksum: createHash('sha256').update(sql).digest('hex') };
  });
}

/** Values for `{{name}}`. One engine family embedded; a replicated one on a cluster. */
export type TemplateValues = Readonly<Record<string, string | number>>;

/** Statements of a migration with its values filled in: each ends with `;` at the end of a line. */
export function statementsOf(migration: Migration, values: TemplateValues): readonly string[] {
  const filled = migration.sql.replace(/\{\{(\w+)\}\}/g, (_, key: string) => {
    const value = values[key];
    if (value === undefined) throw new AppError('EYRIE_STORE_MIGRATION', `${migration.name}: no value for {{${key}}}`);
    return String(value);
  });
  return filled
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

export interface Applied {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

/** What is left to do. @throws AppError EYRIE_STORE_MIGRATION when the database holds a changed or an unknown one */
export function pendingMigrations(known: readonly Migration[], applied: readonly Applied[]): readonly Migration[] {
  const done = new Set<number>();
  for (const { number, name, checksum } of applied) {
    const migration = known[number - 1];
    const label = `${String(number).padStart(4, '0')}_${name}`;
    if (migration === undefined) {
      throw new AppError(
        'EYRIE_STORE_MIGRATION',
        `the database has ${label}, which this version does not know; run the newer one`,
      );
    }
    if (migration.checksum !== checksum) {
      throw new AppError(
        'EYRIE_STORE_MIGRATION',
        `${label} was applied with other content; a migration is never edited`,
      );
    }
    done.add(number);
  }
  return known.filter(({ number }) => !done.has(number));
}
