CREATE TABLE kubernetes_leader (
    name        text PRIMARY KEY,
    holder      text        NOT NULL,
    epoch       bigint      NOT NULL,
    lease_until timestamptz NOT NULL
);

COMMENT ON TABLE kubernetes_leader IS 'which instance of the service runs the operator; one row';
COMMENT ON COLUMN kubernetes_leader.name IS 'what is led';
COMMENT ON COLUMN kubernetes_leader.holder IS 'the instance, for people';
COMMENT ON COLUMN kubernetes_leader.epoch IS 'one more with every other holder';
COMMENT ON COLUMN kubernetes_leader.lease_until IS 'another instance may take over from then on, database time';

CREATE TABLE kubernetes_save (
    pod_snapshot_uid uuid PRIMARY KEY,
    snapshot_id      uuid        NOT NULL UNIQUE,
    namespace        text        NOT NULL,
    name             text        NOT NULL,
    created_at       timestamptz NOT NULL
);

COMMENT ON TABLE kubernetes_save IS 'which snapshot was begun for which PodSnapshot: written with the snapshot, so that none is taken twice';
COMMENT ON COLUMN kubernetes_save.pod_snapshot_uid IS 'metadata.uid of the PodSnapshot';
COMMENT ON COLUMN kubernetes_save.snapshot_id IS 'the snapshot; it may be forgotten before this row';
COMMENT ON COLUMN kubernetes_save.namespace IS 'of the PodSnapshot';
COMMENT ON COLUMN kubernetes_save.name IS 'of the PodSnapshot';
COMMENT ON COLUMN kubernetes_save.created_at IS 'database time';

CREATE TABLE kubernetes_start (
    pod_uid    uuid PRIMARY KEY,
    namespace  text        NOT NULL,
    pod_name   text        NOT NULL,
    phase      text        NOT NULL CHECK (phase IN ('PLACED', 'THAWING', 'RESTORED', 'COLD')),
    node_id    uuid,
    restore_id uuid,
    code       text,
    reason     text,
    deadline   timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE INDEX kubernetes_start_by_pod ON kubernetes_start (namespace, pod_name);
CREATE INDEX kubernetes_start_open ON kubernetes_start (pod_uid) WHERE phase IN ('PLACED', 'THAWING');

COMMENT ON TABLE kubernetes_start IS 'how each pod that asked for it starts: from a snapshot, or cold';
COMMENT ON COLUMN kubernetes_start.pod_uid IS 'metadata.uid of the pod';
COMMENT ON COLUMN kubernetes_start.namespace IS 'of the pod';
COMMENT ON COLUMN kubernetes_start.pod_name IS 'of the pod';
COMMENT ON COLUMN kubernetes_start.phase IS 'PLACED: its node is chosen; THAWING: a restore is on its way; RESTORED and COLD are for good';
COMMENT ON COLUMN kubernetes_start.node_id IS 'the node that was chosen';
COMMENT ON COLUMN kubernetes_start.restore_id IS 'the restore, once there is one';
COMMENT ON COLUMN kubernetes_start.code IS 'why it started cold, an error code';
COMMENT ON COLUMN kubernetes_start.reason IS 'why, in words';
COMMENT ON COLUMN kubernetes_start.deadline IS 'it starts cold when it is not restored by then, database time';
COMMENT ON COLUMN kubernetes_start.created_at IS 'database time';
COMMENT ON COLUMN kubernetes_start.updated_at IS 'database time';

CREATE TABLE kubernetes_rollout (
    policy_uid   uuid        NOT NULL,
    version_name text        NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (policy_uid, version_name)
);

COMMENT ON TABLE kubernetes_rollout IS 'versions that a SnapshotPolicy has rolled out: once each, so that what was rolled back stays back';
COMMENT ON COLUMN kubernetes_rollout.policy_uid IS 'metadata.uid of the SnapshotPolicy';
COMMENT ON COLUMN kubernetes_rollout.version_name IS 'version of the policy''s model';
COMMENT ON COLUMN kubernetes_rollout.created_at IS 'database time';

-- The operator follows what changes.
CREATE INDEX snapshot_by_update ON snapshot (updated_at);
