CREATE TABLE tier_policy (
    name         text PRIMARY KEY,
    spec         jsonb       NOT NULL,
    evaluated_at timestamptz NOT NULL,
    version      bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);

COMMENT ON TABLE tier_policy IS 'which copies of which snapshots there should be';
COMMENT ON COLUMN tier_policy.name IS 'DNS label';
COMMENT ON COLUMN tier_policy.spec IS 'models, whether it is enabled, and the rules in their order';
COMMENT ON COLUMN tier_policy.evaluated_at IS 'when a replica took it up last, database time';
COMMENT ON COLUMN tier_policy.version IS 'the ETag';
COMMENT ON COLUMN tier_policy.created_at IS 'database time';
COMMENT ON COLUMN tier_policy.updated_at IS 'database time';
