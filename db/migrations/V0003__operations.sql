CREATE TABLE restore (
    id                    uuid PRIMARY KEY,
    snapshot_id           uuid        NOT NULL REFERENCES snapshot (id),
    node_id               uuid        NOT NULL REFERENCES node (id),
    decision              jsonb       NOT NULL,
    workload_id           uuid REFERENCES workload (id) ON DELETE SET NULL,
    pid                   integer,
    thaw_seconds          double precision,
    stage_seconds         jsonb,
    fill_bytes_per_second double precision,
    created_at            timestamptz NOT NULL,
    version               bigint      NOT NULL
);

CREATE INDEX restore_by_snapshot ON restore (snapshot_id);
CREATE INDEX restore_by_workload ON restore (workload_id);

COMMENT ON TABLE restore IS 'which snapshot thawed where; its state is its operation''s';
COMMENT ON COLUMN restore.id IS 'UUID version 7';
COMMENT ON COLUMN restore.snapshot_id IS 'what is restored';
COMMENT ON COLUMN restore.node_id IS 'the node that was chosen';
COMMENT ON COLUMN restore.decision IS 'why this snapshot and this node, and why not the others';
COMMENT ON COLUMN restore.workload_id IS 'the process that came back';
COMMENT ON COLUMN restore.pid IS 'its process id';
COMMENT ON COLUMN restore.thaw_seconds IS 'from the claim to a healthy process, by the daemon''s clock';
COMMENT ON COLUMN restore.stage_seconds IS 'seconds of each stage, an object of numbers';
COMMENT ON COLUMN restore.fill_bytes_per_second IS 'rate at which device memory was filled';
COMMENT ON COLUMN restore.created_at IS 'database time';
COMMENT ON COLUMN restore.version IS 'guards against lost updates';

CREATE TABLE operation (
    id               uuid PRIMARY KEY,
    kind             text        NOT NULL CHECK (kind IN ('SAVE', 'THAW', 'VERIFY', 'DELETE')),
    state            text        NOT NULL CHECK (state IN ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    node_id          uuid        NOT NULL REFERENCES node (id),
    snapshot_id      uuid        NOT NULL REFERENCES snapshot (id),
    restore_id       uuid REFERENCES restore (id),
    workload_id      uuid REFERENCES workload (id) ON DELETE SET NULL,
    engine           text        NOT NULL,
    spec             jsonb       NOT NULL,
    cancel_requested boolean     NOT NULL DEFAULT false,
    epoch            bigint      NOT NULL DEFAULT 0,
    attempt          integer     NOT NULL DEFAULT 0,
    lease_owner      bigint,
    lease_until      timestamptz,
    stages           jsonb       NOT NULL DEFAULT '[]',
    failure          jsonb,
    created_at       timestamptz NOT NULL,
    started_at       timestamptz,
    finished_at      timestamptz,
    version          bigint      NOT NULL DEFAULT 0,
    CONSTRAINT operation_running_has_lease CHECK (state <> 'RUNNING' OR lease_until IS NOT NULL),
    CONSTRAINT operation_end_has_time CHECK ((state IN ('SUCCEEDED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)),
    CONSTRAINT operation_failure_only_when_failed CHECK ((state = 'FAILED') = (failure IS NOT NULL))
);

CREATE INDEX operation_to_claim ON operation (node_id, id) WHERE state IN ('PENDING', 'RUNNING');
CREATE INDEX operation_by_snapshot ON operation (snapshot_id, id DESC);
CREATE INDEX operation_by_restore ON operation (restore_id);
CREATE INDEX operation_by_workload ON operation (workload_id);
CREATE INDEX operation_by_state ON operation (state, id DESC);
CREATE UNIQUE INDEX operation_one_at_a_time_per_workload ON operation (workload_id)
    WHERE state IN ('PENDING', 'RUNNING') AND workload_id IS NOT NULL;

COMMENT ON TABLE operation IS 'long work, claimed by daemons under a lease and a fencing epoch';
COMMENT ON INDEX operation_one_at_a_time_per_workload IS 'two operations never change one process at the same time';
COMMENT ON COLUMN operation.id IS 'UUID version 7; the order of ids is the order of claims';
COMMENT ON COLUMN operation.kind IS 'what the daemon is to do';
COMMENT ON COLUMN operation.state IS 'see the state diagram in docs/control-plane.md';
COMMENT ON COLUMN operation.node_id IS 'the node that does it';
COMMENT ON COLUMN operation.snapshot_id IS 'the snapshot it is about';
COMMENT ON COLUMN operation.restore_id IS 'the restore that asked for a THAW';
COMMENT ON COLUMN operation.workload_id IS 'the process that it changes';
COMMENT ON COLUMN operation.engine IS 'of the snapshot, for metrics';
COMMENT ON COLUMN operation.spec IS 'the task as the daemon gets it; never changed';
COMMENT ON COLUMN operation.cancel_requested IS 'the daemon is told with its next report';
COMMENT ON COLUMN operation.epoch IS 'fencing: one more at every claim and when the operation is given up; reports of another epoch are refused';
COMMENT ON COLUMN operation.attempt IS 'number of claims';
COMMENT ON COLUMN operation.lease_owner IS 'epoch of the node session that claimed it';
COMMENT ON COLUMN operation.lease_until IS 'after this database time it may be claimed again';
COMMENT ON COLUMN operation.stages IS 'stages as last reported, an array';
COMMENT ON COLUMN operation.failure IS 'why it failed: code, title, detail, stage, retryable, documentation';
COMMENT ON COLUMN operation.created_at IS 'database time';
COMMENT ON COLUMN operation.started_at IS 'first claim, database time';
COMMENT ON COLUMN operation.finished_at IS 'database time';
COMMENT ON COLUMN operation.version IS 'guards against lost updates';
