-- What approvals and undo name, and each ledger line's place in the chain of its partition (`eyrie actions verify`).
ALTER TABLE {{database}}.action_versions
    ADD COLUMN IF NOT EXISTS plan String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS plan_hash String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS due_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS decided_by LowCardinality(String),
    ADD COLUMN IF NOT EXISTS partition UInt32,
    ADD COLUMN IF NOT EXISTS seq UInt64 CODEC(Delta, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS digest String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS chain String CODEC(ZSTD(1));

ALTER TABLE {{database}}.actions_latest
    ADD COLUMN IF NOT EXISTS plan String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS plan_hash String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS due_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS decided_by LowCardinality(String),
    ADD COLUMN IF NOT EXISTS partition UInt32,
    ADD COLUMN IF NOT EXISTS seq UInt64 CODEC(Delta, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS digest String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS chain String CODEC(ZSTD(1));

-- A view keeps the columns it was made with. The new feed is there before the old one goes: archivers write meanwhile, and of
-- two rows of one version one is kept.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.actions_feed TO {{database}}.actions_latest
AS SELECT * FROM {{database}}.action_versions;

DROP TABLE IF EXISTS {{database}}.actions_latest_feed;

DROP TABLE IF EXISTS {{database}}.actions;

CREATE VIEW IF NOT EXISTS {{database}}.actions AS SELECT * FROM {{database}}.actions_latest FINAL;
