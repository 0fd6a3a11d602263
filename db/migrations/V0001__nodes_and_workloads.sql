CREATE TABLE node (
    id                uuid PRIMARY KEY,
    name              text        NOT NULL UNIQUE,
    instance_id       uuid        NOT NULL,
    agent_version     text        NOT NULL,
    epoch             bigint      NOT NULL,
    session_digest    bytea       NOT NULL,
    schedulable       boolean     NOT NULL DEFAULT true,
    state             text        NOT NULL CHECK (state IN ('ONLINE', 'SILENT', 'LOST')),
    inventory         jsonb       NOT NULL,
    registered_at     timestamptz NOT NULL,
    last_heartbeat_at timestamptz NOT NULL,
    version           bigint      NOT NULL DEFAULT 0
);

CREATE INDEX node_by_state ON node (state);

COMMENT ON TABLE node IS 'GPU nodes, one row a node name';
COMMENT ON COLUMN node.id IS 'UUID version 7';
COMMENT ON COLUMN node.name IS 'DNS name that the daemon registers under; the same name is the same node';
COMMENT ON COLUMN node.instance_id IS 'new at every start of the daemon';
COMMENT ON COLUMN node.agent_version IS 'release of the daemon';
COMMENT ON COLUMN node.epoch IS 'one more at every registration; older session tokens are refused';
COMMENT ON COLUMN node.session_digest IS 'SHA-256 of the secret part of the current session token';
COMMENT ON COLUMN node.schedulable IS 'false: cordoned, gets no new work';
COMMENT ON COLUMN node.state IS 'ONLINE; SILENT past the heartbeat grace; LOST when its operations were given up';
COMMENT ON COLUMN node.inventory IS 'the last whole inventory: GPUs, tiers, capabilities with reasons';
COMMENT ON COLUMN node.registered_at IS 'last registration, database time';
COMMENT ON COLUMN node.last_heartbeat_at IS 'last heartbeat or registration, database time';
COMMENT ON COLUMN node.version IS 'changes with what callers may change; the ETag';

CREATE TABLE workload (
    id                    uuid PRIMARY KEY,
    node_id               uuid        NOT NULL REFERENCES node (id) ON DELETE CASCADE,
    pid                   integer     NOT NULL,
    start_time_ticks      bigint      NOT NULL,
    name                  text        NOT NULL,
    executable            text,
    command_line          jsonb       NOT NULL,
    state                 text        NOT NULL CHECK (state IN ('RUNNING', 'QUIESCED', 'SUSPENDED', 'UNKNOWN', 'LOST', 'GONE')),
    managed_bytes         bigint      NOT NULL,
    allocations           integer     NOT NULL,
    listening_ports       jsonb       NOT NULL,
    suspended_snapshot_id uuid,
    refusals              jsonb       NOT NULL,
    first_seen_at         timestamptz NOT NULL,
    last_seen_at          timestamptz NOT NULL,
    CONSTRAINT workload_process UNIQUE (node_id, pid, start_time_ticks)
);

CREATE INDEX workload_by_state ON workload (state);
CREATE INDEX workload_by_name ON workload (name);

COMMENT ON TABLE workload IS 'processes that daemons reported; a row is a process, not a service';
COMMENT ON COLUMN workload.id IS 'UUID version 7, given when the process was first reported';
COMMENT ON COLUMN workload.node_id IS 'where it runs';
COMMENT ON COLUMN workload.pid IS 'process id as the daemon sees it';
COMMENT ON COLUMN workload.start_time_ticks IS 'field 22 of /proc/<pid>/stat; tells a reused pid apart';
COMMENT ON COLUMN workload.name IS 'GPUSNAP_WORKLOAD of its environment';
COMMENT ON COLUMN workload.executable IS 'path of its program';
COMMENT ON COLUMN workload.command_line IS 'its arguments, an array of strings';
COMMENT ON COLUMN workload.state IS 'as reported; UNKNOWN while its node is silent, LOST with its node, GONE when it is no longer reported';
COMMENT ON COLUMN workload.managed_bytes IS 'device memory that the preload manages';
COMMENT ON COLUMN workload.allocations IS 'number of managed device allocations';
COMMENT ON COLUMN workload.listening_ports IS 'TCP ports it listens on, an array of numbers';
COMMENT ON COLUMN workload.suspended_snapshot_id IS 'the snapshot that a SUSPENDED process waits for';
COMMENT ON COLUMN workload.refusals IS 'why a save would be refused now, an array of {code, detail}';
COMMENT ON COLUMN workload.first_seen_at IS 'first report, database time';
COMMENT ON COLUMN workload.last_seen_at IS 'last report, database time';
