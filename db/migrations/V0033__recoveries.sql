ALTER TABLE restore ADD COLUMN recovery_priority integer;
COMMENT ON COLUMN restore.recovery_priority IS 'it is done again elsewhere when its node is lost, greater first; empty is never';

CREATE TABLE recovery (
    id              uuid PRIMARY KEY,
    state           text        NOT NULL CHECK (state IN ('WAITING', 'PLACING', 'RECOVERED', 'COLD', 'FAILED', 'NOT_NEEDED')),
    node_id         uuid        NOT NULL REFERENCES node (id),
    workload_id     uuid REFERENCES workload (id) ON DELETE SET NULL,
    lost_restore_id uuid        NOT NULL CONSTRAINT recovery_once UNIQUE REFERENCES restore (id),
    restore_id      uuid REFERENCES restore (id),
    priority        integer     NOT NULL,
    fenced          boolean     NOT NULL,
    taken_at        timestamptz,
    created_at      timestamptz NOT NULL,
    ended_at        timestamptz
);

CREATE INDEX recovery_waiting ON recovery (priority DESC, id) WHERE state = 'WAITING';
CREATE INDEX recovery_placing ON recovery (restore_id) WHERE state = 'PLACING';
CREATE INDEX recovery_by_node ON recovery (node_id);
CREATE INDEX recovery_by_workload ON recovery (workload_id);
CREATE INDEX recovery_by_restore ON recovery (restore_id);

COMMENT ON TABLE recovery IS 'processes of lost nodes and what is done about them';
COMMENT ON COLUMN recovery.id IS 'UUID version 7';
COMMENT ON COLUMN recovery.state IS 'where it is';
COMMENT ON COLUMN recovery.node_id IS 'the lost node';
COMMENT ON COLUMN recovery.workload_id IS 'the process that was there, empty once it was forgotten';
COMMENT ON COLUMN recovery.lost_restore_id IS 'the restore that it came from; each is recovered once';
COMMENT ON COLUMN recovery.restore_id IS 'the restore that brings it back';
COMMENT ON COLUMN recovery.priority IS 'greater goes first';
COMMENT ON COLUMN recovery.fenced IS 'its node came back with the process and was told to end it';
COMMENT ON COLUMN recovery.taken_at IS 'when its turn came, database time; whoever took it and died before its restore was made gives it back by that';
COMMENT ON COLUMN recovery.created_at IS 'when the node was lost, database time';
COMMENT ON COLUMN recovery.ended_at IS 'database time';
