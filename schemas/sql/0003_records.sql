-- The ledger: every state of every intent, and the latest of each.
CREATE TABLE IF NOT EXISTS {{database}}.action_versions
(
    tenant LowCardinality(String),
    cluster LowCardinality(String),
    intent_key String CODEC(ZSTD(1)),
    version UInt32 CODEC(ZSTD(1)),
    state LowCardinality(String),
    reason LowCardinality(String),
    rule_id LowCardinality(String),
    rule_version LowCardinality(String),
    action LowCardinality(String),
    actionner LowCardinality(String),
    class UInt8,
    mode LowCardinality(String),
    alert_id String CODEC(ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    target String CODEC(ZSTD(1)),
    incarnation String CODEC(ZSTD(1)),
    attempt UInt32 CODEC(ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    detail String CODEC(ZSTD(1))
)
ENGINE = {{merge_tree}}
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, intent_key, version)
TTL toDateTime(at) + INTERVAL {{versions_days}} DAY
SETTINGS {{table_settings}}, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS {{database}}.actions_latest AS {{database}}.action_versions
ENGINE = {{replacing_merge_tree}}(version)
ORDER BY (tenant, intent_key)
SETTINGS {{table_settings}};

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.actions_latest_feed TO {{database}}.actions_latest
AS SELECT * FROM {{database}}.action_versions;

CREATE VIEW IF NOT EXISTS {{database}}.actions AS SELECT * FROM {{database}}.actions_latest FINAL;

-- Every version of every document: who changed what, when. `documents_version` is the offset it became valid at.
CREATE TABLE IF NOT EXISTS {{database}}.documents
(
    tenant LowCardinality(String),
    kind LowCardinality(String),
    id String,
    version UInt32,
    documents_version UInt64,
    author LowCardinality(String),
    at DateTime64(3, 'UTC'),
    removed UInt8,
    body String CODEC(ZSTD(1))
)
ENGINE = {{merge_tree}}
ORDER BY (tenant, kind, id, version)
SETTINGS {{table_settings}};

-- Health records may come twice after a crash; their key (raw position) makes them one.
CREATE TABLE IF NOT EXISTS {{database}}.health_records
(
    tenant LowCardinality(String),
    cluster LowCardinality(String),
    key String CODEC(ZSTD(1)),
    kind LowCardinality(String),
    node LowCardinality(String),
    time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    count UInt64 CODEC(ZSTD(1)),
    code LowCardinality(String),
    fields Map(LowCardinality(String), String)
)
ENGINE = {{replacing_merge_tree}}
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, key)
TTL toDateTime(received_at) + INTERVAL {{health_days}} DAY
SETTINGS {{table_settings}}, ttl_only_drop_parts = 1;

CREATE VIEW IF NOT EXISTS {{database}}.health AS SELECT * FROM {{database}}.health_records FINAL;

-- A node gave proof of life in that minute.
CREATE TABLE IF NOT EXISTS {{database}}.coverage_minutes
(
    tenant LowCardinality(String),
    cluster LowCardinality(String),
    node LowCardinality(String),
    minute DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = {{replacing_merge_tree}}
ORDER BY (tenant, cluster, node, minute)
TTL minute + INTERVAL {{versions_days}} DAY
SETTINGS {{table_settings}};

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.coverage_feed TO {{database}}.coverage_minutes
AS SELECT DISTINCT tenant, cluster, node, toStartOfMinute(toDateTime(time, 'UTC')) AS minute
FROM {{database}}.health_records
WHERE kind IN ('canary', 'heartbeat') AND node != '';

CREATE VIEW IF NOT EXISTS {{database}}.coverage AS
SELECT DISTINCT tenant, cluster, node, minute FROM {{database}}.coverage_minutes;

CREATE TABLE IF NOT EXISTS {{database}}.dead_letter_records
(
    tenant LowCardinality(String),
    cluster LowCardinality(String),
    key String CODEC(ZSTD(1)),
    stage LowCardinality(String),
    reason LowCardinality(String),
    message String CODEC(ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    topic LowCardinality(String),
    raw_log LowCardinality(String),
    raw_partition UInt32,
    raw_offset UInt64,
    raw_index UInt32,
    bytes UInt64,
    sha256 String CODEC(ZSTD(1)),
    head String CODEC(ZSTD(1))
)
ENGINE = {{replacing_merge_tree}}
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, key)
TTL toDateTime(at) + INTERVAL {{health_days}} DAY
SETTINGS {{table_settings}}, ttl_only_drop_parts = 1;

CREATE VIEW IF NOT EXISTS {{database}}.dead_letters AS SELECT * FROM {{database}}.dead_letter_records FINAL;
