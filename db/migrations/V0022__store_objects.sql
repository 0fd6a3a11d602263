CREATE TABLE store_object (
    store_id   uuid        NOT NULL REFERENCES store (id) ON DELETE CASCADE,
    name       text        NOT NULL,
    size_bytes bigint      NOT NULL CHECK (size_bytes >= 0),
    state      text        NOT NULL CHECK (state IN ('USED', 'CONDEMNED', 'DELETING', 'DELETED')),
    since      timestamptz NOT NULL,
    PRIMARY KEY (store_id, name)
);

CREATE INDEX store_object_by_state ON store_object (store_id, state, since);

COMMENT ON TABLE store_object IS 'objects of shared stores, and how far each is on its way out; see decision 0082';
COMMENT ON COLUMN store_object.store_id IS 'where';
COMMENT ON COLUMN store_object.name IS 'its name there, which is never used again';
COMMENT ON COLUMN store_object.size_bytes IS 'its size';
COMMENT ON COLUMN store_object.state IS 'USED; CONDEMNED: named by nobody, a new reference still saves it; DELETING: told to a sweep, nothing saves it; DELETED';
COMMENT ON COLUMN store_object.since IS 'in this state, database time';

CREATE TABLE store_reference (
    store_id    uuid NOT NULL,
    name        text NOT NULL,
    snapshot_id uuid NOT NULL REFERENCES snapshot (id),
    PRIMARY KEY (store_id, name, snapshot_id),
    FOREIGN KEY (store_id, name) REFERENCES store_object (store_id, name)
);

CREATE INDEX store_reference_by_snapshot ON store_reference (snapshot_id, store_id);

COMMENT ON TABLE store_reference IS 'which objects the copies of snapshots need; an object with a reference is not deleted, by this constraint too';
COMMENT ON COLUMN store_reference.store_id IS 'where';
COMMENT ON COLUMN store_reference.name IS 'the object';
COMMENT ON COLUMN store_reference.snapshot_id IS 'whose copy needs it';
