-- One row an observation: what the sensor saw, whom it was joined to, and how the judge ended it.
-- Partitions follow the time of receipt, which is ours: event times are the sender's and could be any year.
-- Absent text is '' (an empty text never comes: Falco's null, "" and "<NA>" are absent); absent numbers are NULL.
CREATE TABLE IF NOT EXISTS {{database}}.events
(
    tenant LowCardinality(String),
    cluster LowCardinality(String),
    event_id String CODEC(ZSTD(1)),
    time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    source LowCardinality(String),
    rule LowCardinality(String),
    priority LowCardinality(String),
    host LowCardinality(String),
    outcome LowCardinality(String),
    reason LowCardinality(String),
    alert_id String CODEC(ZSTD(1)),
    alert_version UInt32 CODEC(ZSTD(1)),
    fingerprint String CODEC(ZSTD(1)),
    fp_score Nullable(Float64) CODEC(ZSTD(1)),
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
    privileged Nullable(UInt8) CODEC(ZSTD(1)),
    container_started_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    tags Array(LowCardinality(String)),
    tactics Array(LowCardinality(String)),
    techniques Array(LowCardinality(String)),
    maturity LowCardinality(String),
    event_type LowCardinality(String),
    process_name LowCardinality(String),
    process_executable String CODEC(ZSTD(1)),
    command_line String CODEC(ZSTD(1)),
    parent_name LowCardinality(String),
    parent_command_line String CODEC(ZSTD(1)),
    working_directory String CODEC(ZSTD(1)),
    process_id Nullable(Int64) CODEC(ZSTD(1)),
    tty Nullable(Int64) CODEC(ZSTD(1)),
    exe_flags String CODEC(ZSTD(1)),
    user_name LowCardinality(String),
    user_id Nullable(Int64) CODEC(ZSTD(1)),
    login_user_id Nullable(Int64) CODEC(ZSTD(1)),
    file_name String CODEC(ZSTD(1)),
    network_protocol LowCardinality(String),
    local_port Nullable(Int32) CODEC(ZSTD(1)),
    remote_port Nullable(Int32) CODEC(ZSTD(1)),
    remote_ip String CODEC(ZSTD(1)),
    audit_user String CODEC(ZSTD(1)),
    audit_verb LowCardinality(String),
    audit_resource LowCardinality(String),
    audit_target String CODEC(ZSTD(1)),
    claimed_cluster LowCardinality(String),
    clamped UInt8 CODEC(ZSTD(1)),
    missing Array(LowCardinality(String)),
    routing_key String CODEC(ZSTD(1)),
    salient String CODEC(ZSTD(1)),
    documents_version Int64 CODEC(ZSTD(1)),
    model LowCardinality(String),
    judged_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    raw_log LowCardinality(String),
    raw_partition UInt32 CODEC(ZSTD(1)),
    raw_offset UInt64 CODEC(Delta, ZSTD(1)),
    raw_index UInt32 CODEC(ZSTD(1)),
    raw String CODEC(ZSTD(1)),
    INDEX by_event_id event_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_alert_id alert_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = {{merge_tree}}
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, time)
TTL toDateTime(received_at) + INTERVAL {{events_days}} DAY
SETTINGS {{table_settings}}, ttl_only_drop_parts = 1;

-- Events seen before are counted, never rows. Each insert adds its own counts.
CREATE TABLE IF NOT EXISTS {{database}}.duplicates
(
    tenant LowCardinality(String),
    cluster LowCardinality(String),
    day Date,
    rule LowCardinality(String),
    reason LowCardinality(String),
    count UInt64
)
ENGINE = {{summing_merge_tree}}(count)
PARTITION BY toYYYYMM(day)
ORDER BY (tenant, cluster, day, rule, reason)
TTL day + INTERVAL {{events_days}} DAY
SETTINGS {{table_settings}};
