CREATE INDEX snapshot_location_last_told ON snapshot_location (store_id, since DESC, snapshot_id DESC)
    WHERE state = 'PRESENT' AND stored_bytes > 0;
CREATE INDEX operation_found_no_room ON operation (finished_at)
    WHERE kind = 'TRANSFER' AND state = 'FAILED' AND (failure ->> 'code') = 'INSUFFICIENT_SPACE';

COMMENT ON INDEX snapshot_location_last_told IS 'the last copies of each store of which it is known what they take there';
COMMENT ON INDEX operation_found_no_room IS 'copies that found no room lately, however many transfers there were';
