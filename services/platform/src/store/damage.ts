import { AppError } from '../errors.ts';
import { type Migration, readMigrations } from './migrate.ts';
import type { Store } from './store.ts';

/**
 * Parts the engine could not load and set aside, unless the parts they were merged from are loaded in their place:
 * after a power failure that is how a merge not yet on disk is undone.
 */
const BROKEN_PARTS = `
  SELECT table, name AS part, partition_id, min_block_number AS first, max_block_number AS last
  FROM system.detached_parts WHERE database = 'eyrie' AND reason LIKE 'broken%'`;
const IN_ITS_PLACE = `
  SELECT min(min_block_number) = {first:Int64} AND max(max_block_number) = {last:Int64} AS whole
  FROM system.parts WHERE database = 'eyrie' AND active AND table = {table:String}
    AND partition_id = {partition_id:String} AND min_block_number >= {first:Int64} AND max_block_number <= {last:Int64}`;

interface BrokenPart {
  readonly table: string;
  readonly part: string;
  readonly partition_id: string;
  readonly first: string;
  readonly last: string;
}

export function damaged(directory: string, what: string): AppError {
  return new AppError(
    'EYRIE_DATA_DIR_DAMAGED',
    `${directory}: ${what}. Restore it from a backup, or move the data directory away and start with an empty one`,
  );
}

/** Names that are there after the migrations, in the order in which they were defined. */
export function definedNames(migrations: readonly Migration[]): readonly string[] {
  const pattern = /(CREATE (?:TABLE|VIEW|MATERIALIZED VIEW) IF NOT|DROP TABLE IF) EXISTS \{\{database\}\}\.(\w+)/g;
  const names = new Set<string>();
  for (const { sql } of migrations) {
    for (const [, what = '', name = ''] of sql.matchAll(pattern)) {
      if (what.startsWith('DROP')) names.delete(name);
      else names.add(name);
    }
  }
  return [...names];
}

/**
 * The engine starts without what it cannot read, so rows would be missing unnoticed. Content of the right size that
 * changed is found only when it is read, by its checksums. @throws AppError EYRIE_DATA_DIR_DAMAGED
 */
export async function refuseDamage(store: Pick<Store, 'query'>, directory: string): Promise<void> {
  for (const { part, ...place } of await store.query<BrokenPart>(BROKEN_PARTS)) {
    const [found] = await store.query<{ whole: number }>(IN_ITS_PLACE, place);
    if (found?.whole !== 1) throw damaged(directory, `part ${part} of table ${place.table} cannot be read`);
  }
  const present = await store.query<{ name: string }>("SELECT name FROM system.tables WHERE database = 'eyrie'");
  const names = new Set(present.map(({ name }) => name));
  const missing = definedNames(readMigrations()).filter((name) => !names.has(name));
  if (missing.length > 0) throw damaged(directory, `${missing.join(', ')} should be there but is not`);
}
