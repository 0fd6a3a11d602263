ALTER TABLE store
    ADD COLUMN sweep_due_at timestamptz NOT NULL DEFAULT 'epoch',
    ADD COLUMN list_after   text,
    ADD COLUMN scrub_due_at timestamptz NOT NULL DEFAULT 'epoch';

COMMENT ON COLUMN store.sweep_due_at IS 'of a shared one: when the next sweep is to be queued, database time';
COMMENT ON COLUMN store.list_after IS 'of a shared one: name up to which the current listing has come; null at its beginning';
COMMENT ON COLUMN store.scrub_due_at IS 'when it is looked again for copies that are to be scrubbed, database time';

CREATE TABLE service_identity (
    id uuid PRIMARY KEY
);

COMMENT ON TABLE service_identity IS 'one row: who this service is to stores, whatever replica speaks; a store is swept for one service only';
COMMENT ON COLUMN service_identity.id IS 'random, never changed';

INSERT INTO service_identity (id) VALUES (gen_random_uuid());
