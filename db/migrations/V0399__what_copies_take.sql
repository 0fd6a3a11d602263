ALTER TABLE snapshot_location ADD COLUMN stored_bytes bigint CHECK (stored_bytes >= 0);

COMMENT ON COLUMN snapshot_location.stored_bytes IS 'what its chunks take in the store, those that it shares with others too, as the node that made it or read it last said; null: none has said';
COMMENT ON COLUMN snapshot.stored_bytes IS 'bytes that this snapshot added to the store where it was saved, compressed as they are there';
