ALTER TABLE snapshot_location ADD COLUMN removal_reason text;

UPDATE snapshot_location SET removal_reason = reason, reason = NULL WHERE state = 'REMOVING';

COMMENT ON COLUMN snapshot_location.reason IS 'why it was copied; null when nobody asked for it: it was saved there, or its node reports it';
COMMENT ON COLUMN snapshot_location.removal_reason IS 'why it is removed; null in every other state';
