ALTER TABLE snapshot_location ADD COLUMN removal_failed boolean NOT NULL DEFAULT false;
ALTER TABLE snapshot_location ADD COLUMN let_go_at timestamptz;
ALTER TABLE snapshot_location ADD CONSTRAINT snapshot_location_removal_failed CHECK (NOT removal_failed OR state = 'REMOVING');
ALTER TABLE snapshot_location ADD CONSTRAINT snapshot_location_let_go CHECK (let_go_at IS NULL OR removal_failed);

CREATE INDEX snapshot_location_removal_failed_in ON snapshot_location (store_id) WHERE removal_failed;

COMMENT ON COLUMN snapshot_location.state IS 'COPYING: an operation is at it; REMOVING: so too, or the removal failed and its node has not yet told what became of the copy; PRESENT: whole and proven; CORRUPT: found wrong, never read again';
COMMENT ON COLUMN snapshot_location.removal_failed IS 'a node had begun to remove it, and the operation failed: how much of the copy is left, and whether the node is still at it, is for its heartbeats to say';
COMMENT ON COLUMN snapshot_location.let_go_at IS 'since when each heartbeat says that the node is at no such removal any more, database time; null before the first one';
