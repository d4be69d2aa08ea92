import { DATABASE, type Layout, REPLICATED_TABLE_SETTINGS } from './layout.ts';

/** The tables that hold rows, one on each shard; those of the same name in `eyrie` reach all of them. */
const STORAGE = 'eyrie_local';

/**
 * What a row's shard follows from, beside its tenant. Versions of one thing lie together: the engine keeps the latest
 * within a shard only. Rows of a big tenant spread.
 */
const SHARD_KEYS: Readonly<Record<string, string>> = {
  events: 'event_id',
  duplicates: 'rule',
  alert_versions: 'alert_id',
  alerts_latest: 'alert_id',
  action_versions: 'intent_key',
  actions_latest: 'intent_key',
  documents: 'id',
  health_records: 'key',
  coverage_minutes: 'node',
  dead_letter_records: 'key',
};
/** Without a tenant. */
const OWN_KEYS: Readonly<Record<string, string>> = { migrations: 'number', self_test: 'value' };

const QUALIFIED = new RegExp(`\\b${DATABASE}\\.(?=\\w)`, 'g');

function shardKey(table: string): string {
  const own = OWN_KEYS[table] ?? OWN_KEYS[table.replace(/_[0-9a-f]{16}$/, '')];
  if (own !== undefined) return own;
  const key = SHARD_KEYS[table];
  if (key === undefined) throw new Error(`no sharding key for table ${table}`);
  return `sipHash64(tenant, ${key})`;
}

/**
 * Shards and replicas by ClickHouse's own means: rows lie in replicated tables of `eyrie_local` on every server of the
 * cluster, and `eyrie` holds Distributed tables over them and the views. An insert goes to all its shards before it
 * returns, each part under the same token, so that a repeat is exact also after half of it went through; the list of
 * shards must not change in between.
 */
export function clusterLayout(cluster: string): Layout {
  const name = quoteName(cluster);
  const on = `ON CLUSTER ${name}`;

  /** In place of the names in the first line: each on the shards' own tables. */
  const stored = (statement: string) => statement.replace(QUALIFIED, `${STORAGE}.`);

  function arrange(statement: string): readonly string[] {
    const text = statement.replace(/^(\s*--.*\n)+/, '').trim();
    const found =
      /^(CREATE DATABASE IF NOT EXISTS|CREATE TABLE IF NOT EXISTS|CREATE MATERIALIZED VIEW IF NOT EXISTS|CREATE VIEW IF NOT EXISTS|ALTER TABLE|DROP TABLE IF EXISTS) (\S+)/.exec(
        text,
      );
    if (found === null) throw new Error(`not a definition that can be laid out on a cluster: ${text.slice(0, 80)}`);
    const [head, kind = '', target = ''] = found;
    const rest = text.slice(head.length);
    const table = target.slice(DATABASE.length + 1);
    const local = `${kind} ${stored(target)} ${on}${stored(rest)}`;
    switch (kind) {
      case 'CREATE DATABASE IF NOT EXISTS':
        return [`${kind} ${STORAGE} ${on}`, `${kind} ${DATABASE} ${on}`];
      case 'CREATE TABLE IF NOT EXISTS':
        return [
          local,
          `${kind} ${target} ${on} AS ${STORAGE}.${table} ENGINE = Distributed(${name}, ${STORAGE}, ${table}, ${shardKey(table)})`,
        ];
      case 'CREATE VIEW IF NOT EXISTS':
        return [`${kind} ${target} ${on}${rest}`];
      case 'ALTER TABLE':
        return /^\s*(ADD|DROP|MODIFY|RENAME) COLUMN\b/.test(rest) ? [local, `${kind} ${target} ${on}${rest}`] : [local];
      case 'DROP TABLE IF EXISTS':
        return [`${kind} ${target} ${on}${rest}`, local];
      default:
        return [local];
    }
  }

  return {
    values: {
      database: DATABASE,
      // Paths and replica names are those of the server's `default_replica_path` and `default_replica_name`.
      merge_tree: 'ReplicatedMergeTree',
      replacing_merge_tree: 'ReplicatedReplacingMergeTree',
      summing_merge_tree: 'ReplicatedSummingMergeTree',
      table_settings: REPLICATED_TABLE_SETTINGS,
    },
    storage: STORAGE,
    arrange,
  };
}

function quoteName(text: string): string {
  return `\`${text.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}
