-- Every version of every alert, flat for SQL, and whole as JSON. In the order of writing, so that parts follow each
-- other and their merge is a copy; the index finds the versions of one alert.
CREATE TABLE IF NOT EXISTS {{database}}.alert_versions
(
    tenant LowCardinality(String),
    cluster LowCardinality(String),
    alert_id String CODEC(ZSTD(1)),
    version UInt32 CODEC(ZSTD(1)),
    change LowCardinality(String),
    state LowCardinality(String),
    merged_into String CODEC(ZSTD(1)),
    source LowCardinality(String),
    rule LowCardinality(String),
    priority LowCardinality(String),
    tags Array(LowCardinality(String)),
    tactics Array(LowCardinality(String)),
    techniques Array(LowCardinality(String)),
    count UInt64 CODEC(ZSTD(1)),
    opened_at DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    first_seen DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    last_seen DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    fp_score Float64 CODEC(ZSTD(1)),
    p_attack Float64 CODEC(ZSTD(1)),
    band LowCardinality(String),
    floor LowCardinality(String),
    model LowCardinality(String),
    disposition LowCardinality(String),
    disposition_reason LowCardinality(String),
    status LowCardinality(String),
    verdict LowCardinality(String),
    assignee LowCardinality(String),
    triaged_by LowCardinality(String),
    triaged_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    host LowCardinality(String),
    namespace LowCardinality(String),
    workload_kind LowCardinality(String),
    workload LowCardinality(String),
    pod String CODEC(ZSTD(1)),
    pod_uid String CODEC(ZSTD(1)),
    node LowCardinality(String),
    container LowCardinality(String),
    container_id String CODEC(ZSTD(1)),
    image LowCardinality(String),
    image_tag LowCardinality(String),
    image_digest LowCardinality(String),
    process_name LowCardinality(String),
    command_line String CODEC(ZSTD(1)),
    file_name String CODEC(ZSTD(1)),
    targets UInt32 CODEC(ZSTD(1)),
    targets_more UInt32 CODEC(ZSTD(1)),
    notify UInt8 CODEC(ZSTD(1)),
    late UInt8 CODEC(ZSTD(1)),
    fingerprint String CODEC(ZSTD(1)),
    fingerprint_version UInt16 CODEC(ZSTD(1)),
    routing_key String CODEC(ZSTD(1)),
    opening_event_id String CODEC(ZSTD(1)),
    partition UInt32 CODEC(ZSTD(1)),
    opening_seq UInt64 CODEC(ZSTD(1)),
    documents_version Int64 CODEC(ZSTD(1)),
    updated_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    body String CODEC(ZSTD(1))
)
ENGINE = {{merge_tree}}
PARTITION BY toYYYYMM(updated_at)
ORDER BY (tenant, updated_at)
TTL toDateTime(updated_at) + INTERVAL {{versions_days}} DAY
SETTINGS {{table_settings}}, ttl_only_drop_parts = 1;

-- The latest version of each alert. Kept for good: the monthly metric counts these rows.
CREATE TABLE IF NOT EXISTS {{database}}.alerts_latest AS {{database}}.alert_versions
ENGINE = {{replacing_merge_tree}}(version)
ORDER BY (tenant, alert_id)
SETTINGS {{table_settings}};

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.alerts_latest_feed TO {{database}}.alerts_latest
AS SELECT * FROM {{database}}.alert_versions;

CREATE VIEW IF NOT EXISTS {{database}}.alerts AS SELECT * FROM {{database}}.alerts_latest FINAL;

ALTER TABLE {{database}}.alert_versions ADD INDEX IF NOT EXISTS by_alert_id alert_id TYPE bloom_filter(0.01) GRANULARITY 1;

-- Every alert counts once, in the month of its opening, in exactly one column, by its latest version.
CREATE VIEW IF NOT EXISTS {{database}}.monthly_alerts AS
SELECT
    tenant,
    formatDateTime(opened_at, '%Y-%m', 'UTC') AS month,
    countIf(disposition != 'suppressed') AS alerts,
    countIf(disposition = 'suppressed') AS suppressed
FROM {{database}}.alerts_latest FINAL
GROUP BY tenant, month;
