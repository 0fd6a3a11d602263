CREATE TABLE pool (
    name        text PRIMARY KEY,
    version     bigint      NOT NULL,
    epoch       bigint      NOT NULL DEFAULT 0,
    next_run_at timestamptz NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);

CREATE INDEX pool_by_next_run ON pool (next_run_at);

COMMENT ON TABLE pool IS 'nodes whose GPUs several models share';
COMMENT ON COLUMN pool.name IS 'DNS label';
COMMENT ON COLUMN pool.version IS 'the ETag';
COMMENT ON COLUMN pool.epoch IS 'one more at every round; what an older round still wants to do is refused';
COMMENT ON COLUMN pool.next_run_at IS 'when the next round is due, database time';
COMMENT ON COLUMN pool.created_at IS 'database time';
COMMENT ON COLUMN pool.updated_at IS 'database time';

CREATE TABLE pool_node (
    node_id   uuid PRIMARY KEY REFERENCES node (id) ON DELETE CASCADE,
    pool_name text NOT NULL REFERENCES pool (name) ON DELETE CASCADE
);

CREATE INDEX pool_node_by_pool ON pool_node (pool_name);

COMMENT ON TABLE pool_node IS 'which nodes a pool has; a node is in one pool at most';
COMMENT ON COLUMN pool_node.node_id IS 'the node';
COMMENT ON COLUMN pool_node.pool_name IS 'its pool';

CREATE TABLE pool_model (
    pool_name             text    NOT NULL REFERENCES pool (name) ON DELETE CASCADE,
    model_name            text    NOT NULL REFERENCES model (name) ON DELETE CASCADE,
    version_name          text    NOT NULL,
    desired               integer NOT NULL CHECK (desired >= 0),
    priority              integer NOT NULL,
    keep_alive_seconds    integer NOT NULL CHECK (keep_alive_seconds >= 0),
    min_residency_seconds integer NOT NULL CHECK (min_residency_seconds >= 0),
    waiting_since         timestamptz,
    surplus_since         timestamptz,
    PRIMARY KEY (pool_name, model_name)
);

CREATE INDEX pool_model_by_model ON pool_model (model_name);

COMMENT ON TABLE pool_model IS 'what each model is to have in a pool';
COMMENT ON COLUMN pool_model.pool_name IS 'where';
COMMENT ON COLUMN pool_model.model_name IS 'who';
COMMENT ON COLUMN pool_model.version_name IS 'the version that new replicas come from';
COMMENT ON COLUMN pool_model.desired IS 'replicas that it is to have';
COMMENT ON COLUMN pool_model.priority IS 'higher goes first';
COMMENT ON COLUMN pool_model.keep_alive_seconds IS 'how long a replica that is not wanted any more stays';
COMMENT ON COLUMN pool_model.min_residency_seconds IS 'how long a replica that has started is left alone';
COMMENT ON COLUMN pool_model.waiting_since IS 'since when it has too few replicas, database time';
COMMENT ON COLUMN pool_model.surplus_since IS 'since when it has too many, database time';

CREATE TABLE pool_decision (
    id                 uuid PRIMARY KEY,
    pool_name          text        NOT NULL REFERENCES pool (name) ON DELETE CASCADE,
    action             text        NOT NULL CHECK (action IN ('RESUME', 'THAW', 'SUSPEND', 'SWITCH')),
    model_name         text        NOT NULL,
    node_id            uuid        NOT NULL REFERENCES node (id),
    leaves_workload_id uuid,
    replaces           boolean     NOT NULL,
    operation_ids      jsonb       NOT NULL,
    reason             text        NOT NULL,
    refusal            text,
    decided_at         timestamptz NOT NULL
);

CREATE INDEX pool_decision_by_pool ON pool_decision (pool_name, id DESC);
CREATE INDEX pool_decision_by_leaving ON pool_decision (leaves_workload_id, id DESC) WHERE leaves_workload_id IS NOT NULL;
CREATE INDEX pool_decision_by_age ON pool_decision (decided_at);

COMMENT ON TABLE pool_decision IS 'what the scheduler did and why; forgotten after gpusnap.schedule.retention';
COMMENT ON COLUMN pool_decision.id IS 'UUID version 7';
COMMENT ON COLUMN pool_decision.pool_name IS 'where';
COMMENT ON COLUMN pool_decision.action IS 'what';
COMMENT ON COLUMN pool_decision.model_name IS 'whose replica starts, or leaves';
COMMENT ON COLUMN pool_decision.node_id IS 'on which node';
COMMENT ON COLUMN pool_decision.leaves_workload_id IS 'the process that leaves its slot';
COMMENT ON COLUMN pool_decision.replaces IS 'whether its slot is for the replica that starts';
COMMENT ON COLUMN pool_decision.operation_ids IS 'operations that were queued for it, an array of ids; empty when it was refused';
COMMENT ON COLUMN pool_decision.reason IS 'why, for people';
COMMENT ON COLUMN pool_decision.refusal IS 'why it could not be done';
COMMENT ON COLUMN pool_decision.decided_at IS 'database time';
