ALTER TABLE operation DROP CONSTRAINT operation_kind_check;
ALTER TABLE operation ADD CONSTRAINT operation_kind_check
    CHECK (kind IN ('SAVE', 'THAW', 'SWITCH', 'VERIFY', 'DELETE', 'TRANSFER', 'EVICT', 'SWEEP', 'SCRUB'));

ALTER TABLE operation ALTER COLUMN snapshot_id DROP NOT NULL;
ALTER TABLE operation ALTER COLUMN engine DROP NOT NULL;
ALTER TABLE operation
    ADD COLUMN store_id uuid,
    ADD COLUMN priority integer NOT NULL DEFAULT 0;
ALTER TABLE operation ADD CONSTRAINT operation_is_about_something CHECK (snapshot_id IS NOT NULL OR store_id IS NOT NULL);

DROP INDEX operation_to_claim;
CREATE INDEX operation_to_claim ON operation (node_id, priority, id) WHERE state IN ('PENDING', 'RUNNING');
CREATE INDEX operation_of_store ON operation (store_id, kind) WHERE state IN ('PENDING', 'RUNNING') AND store_id IS NOT NULL;

COMMENT ON COLUMN operation.id IS 'UUID version 7; claims go by priority, then by id';
COMMENT ON COLUMN operation.snapshot_id IS 'the snapshot it is about; of a SWITCH the one that is resumed; null for work on a whole store';
COMMENT ON COLUMN operation.engine IS 'of the snapshot, for metrics';
COMMENT ON COLUMN operation.store_id IS 'of work on a tier: the store that it changes or reads';
COMMENT ON COLUMN operation.priority IS 'claims go by it, the lowest first: 0 what somebody waits for, 10 to 30 moves between tiers';

CREATE UNIQUE INDEX operation_one_move_per_copy ON operation (snapshot_id, store_id)
    WHERE state IN ('PENDING', 'RUNNING') AND kind IN ('TRANSFER', 'EVICT');
CREATE UNIQUE INDEX operation_one_sweep_per_store ON operation (store_id) WHERE state IN ('PENDING', 'RUNNING') AND kind = 'SWEEP';
CREATE UNIQUE INDEX operation_one_scrub_per_store ON operation (store_id) WHERE state IN ('PENDING', 'RUNNING') AND kind = 'SCRUB';

COMMENT ON INDEX operation_one_move_per_copy IS 'a copy is made or removed by one operation at a time, whichever replica asks';
COMMENT ON INDEX operation_one_sweep_per_store IS 'what one sweep deletes, another must not be told to list meanwhile';
COMMENT ON INDEX operation_one_scrub_per_store IS 'the rate of a scrub is bounded for the store, not for each asker';
