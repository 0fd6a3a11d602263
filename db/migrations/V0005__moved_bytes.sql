ALTER TABLE snapshot
    ADD COLUMN moved_bytes       bigint CHECK (moved_bytes >= 0),
    ADD COLUMN rebuildable_bytes bigint CHECK (rebuildable_bytes >= 0);

COMMENT ON COLUMN snapshot.moved_bytes IS
    'device memory that the save brought over the bus; null when the daemon did not say, or the snapshot is not READY';
COMMENT ON COLUMN snapshot.rebuildable_bytes IS
    'device memory that the application declared rebuildable and that is not in the snapshot; null as above';
