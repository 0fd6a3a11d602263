ALTER TABLE operation DROP CONSTRAINT operation_kind_check;
ALTER TABLE operation ADD CONSTRAINT operation_kind_check CHECK (kind IN ('SAVE', 'THAW', 'SWITCH', 'VERIFY', 'DELETE'));

COMMENT ON COLUMN operation.restore_id IS 'the restore that a THAW or a SWITCH does';
COMMENT ON COLUMN operation.snapshot_id IS 'the snapshot it is about; of a SWITCH the one that is resumed';
