CREATE TABLE model (
    name        text PRIMARY KEY,
    description text        NOT NULL,
    labels      jsonb       NOT NULL,
    version     bigint      NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);

COMMENT ON TABLE model IS 'names under which versions and snapshots are kept';
COMMENT ON COLUMN model.name IS 'DNS label';
COMMENT ON COLUMN model.description IS 'for people';
COMMENT ON COLUMN model.labels IS 'free keys and values, an object of strings';
COMMENT ON COLUMN model.version IS 'the ETag';
COMMENT ON COLUMN model.created_at IS 'database time';
COMMENT ON COLUMN model.updated_at IS 'database time';

CREATE TABLE model_version (
    id               uuid PRIMARY KEY,
    model_name       text        NOT NULL CONSTRAINT model_version_model REFERENCES model (name),
    name             text        NOT NULL,
    image            text,
    engine_arguments jsonb       NOT NULL,
    framework        text,
    fingerprint      text,
    labels           jsonb       NOT NULL,
    version          bigint      NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT model_version_name UNIQUE (model_name, name)
);

COMMENT ON TABLE model_version IS 'what a snapshot is a snapshot of';
COMMENT ON COLUMN model_version.id IS 'UUID version 7';
COMMENT ON COLUMN model_version.model_name IS 'its model';
COMMENT ON COLUMN model_version.name IS 'DNS label, unique within the model';
COMMENT ON COLUMN model_version.image IS 'container image reference with digest, where there is one';
COMMENT ON COLUMN model_version.engine_arguments IS 'how the server is started, an array of strings';
COMMENT ON COLUMN model_version.framework IS 'such as vllm 0.15 or torch 2.11';
COMMENT ON COLUMN model_version.fingerprint IS 'of the weights, as the caller computes it';
COMMENT ON COLUMN model_version.labels IS 'free keys and values, an object of strings';
COMMENT ON COLUMN model_version.version IS 'the ETag';
COMMENT ON COLUMN model_version.created_at IS 'database time';
COMMENT ON COLUMN model_version.updated_at IS 'database time';

CREATE TABLE snapshot (
    id              uuid PRIMARY KEY,
    version_id      uuid REFERENCES model_version (id) ON DELETE SET NULL,
    model_name      text        NOT NULL,
    version_name    text        NOT NULL,
    node_id         uuid        NOT NULL REFERENCES node (id),
    workload_id     uuid REFERENCES workload (id) ON DELETE SET NULL,
    workload_name   text        NOT NULL,
    engine          text        NOT NULL CHECK (engine IN ('criu+cuda', 'suspend')),
    after_save      text        NOT NULL CHECK (after_save IN ('KEEP_RUNNING', 'STOP')),
    state           text        NOT NULL CHECK (state IN ('CREATING', 'READY', 'FAILED', 'QUARANTINED', 'DELETING', 'DELETED')),
    manifest_digest text,
    vram_bytes      bigint,
    host_bytes      bigint,
    logical_bytes   bigint,
    stored_bytes    bigint,
    chunks_total    bigint,
    chunks_stored   bigint,
    chunks_zero     bigint,
    pause_seconds   double precision,
    failure         jsonb,
    verified_at     timestamptz,
    ready_at        timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    version         bigint      NOT NULL,
    CONSTRAINT snapshot_ready_is_whole CHECK (state <> 'READY' OR (manifest_digest IS NOT NULL AND stored_bytes IS NOT NULL))
);

CREATE INDEX snapshot_by_version ON snapshot (model_name, version_name, id DESC);
CREATE INDEX snapshot_by_version_id ON snapshot (version_id);
CREATE INDEX snapshot_by_workload ON snapshot (workload_id);
CREATE INDEX snapshot_by_state ON snapshot (state, id DESC);

COMMENT ON TABLE snapshot IS 'frozen processes; restorable exactly while READY';
COMMENT ON COLUMN snapshot.id IS 'UUID version 7; also the name that the node stores it under';
COMMENT ON COLUMN snapshot.version_id IS 'the model version, empty once that was deleted';
COMMENT ON COLUMN snapshot.model_name IS 'name of the model when it was taken';
COMMENT ON COLUMN snapshot.version_name IS 'name of the model version when it was taken';
COMMENT ON COLUMN snapshot.node_id IS 'where it was taken';
COMMENT ON COLUMN snapshot.workload_id IS 'the process it was taken of, empty once that was forgotten';
COMMENT ON COLUMN snapshot.workload_name IS 'name of that workload';
COMMENT ON COLUMN snapshot.engine IS 'how it was taken, and so how it comes back';
COMMENT ON COLUMN snapshot.after_save IS 'what became of the process';
COMMENT ON COLUMN snapshot.state IS 'see the state diagram in docs/control-plane.md';
COMMENT ON COLUMN snapshot.manifest_digest IS 'SHA-256 of the exact bytes of the manifest, lower-case hex';
COMMENT ON COLUMN snapshot.vram_bytes IS 'device memory of the process';
COMMENT ON COLUMN snapshot.host_bytes IS 'process image without device memory';
COMMENT ON COLUMN snapshot.logical_bytes IS 'both together';
COMMENT ON COLUMN snapshot.stored_bytes IS 'bytes that this snapshot added to the store';
COMMENT ON COLUMN snapshot.chunks_total IS 'chunks that the manifest names';
COMMENT ON COLUMN snapshot.chunks_stored IS 'chunks that were new';
COMMENT ON COLUMN snapshot.chunks_zero IS 'chunks of zero bytes only, which are not stored';
COMMENT ON COLUMN snapshot.pause_seconds IS 'how long the process stood still';
COMMENT ON COLUMN snapshot.failure IS 'why it FAILED or is QUARANTINED';
COMMENT ON COLUMN snapshot.verified_at IS 'last time that every chunk was found right, database time';
COMMENT ON COLUMN snapshot.ready_at IS 'when it became READY, database time';
COMMENT ON COLUMN snapshot.created_at IS 'database time';
COMMENT ON COLUMN snapshot.updated_at IS 'database time';
COMMENT ON COLUMN snapshot.version IS 'the ETag';

CREATE TABLE snapshot_manifest (
    snapshot_id uuid PRIMARY KEY REFERENCES snapshot (id) ON DELETE CASCADE,
    content     bytea NOT NULL
);

COMMENT ON TABLE snapshot_manifest IS 'manifests, apart from the snapshots because they are large';
COMMENT ON COLUMN snapshot_manifest.snapshot_id IS 'whose';
COMMENT ON COLUMN snapshot_manifest.content IS 'the exact bytes, as the digest has them';

CREATE TABLE snapshot_holder (
    snapshot_id  uuid        NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    node_id      uuid        NOT NULL REFERENCES node (id) ON DELETE CASCADE,
    confirmed_at timestamptz NOT NULL,
    PRIMARY KEY (snapshot_id, node_id)
);

CREATE INDEX snapshot_holder_by_node ON snapshot_holder (node_id);

COMMENT ON TABLE snapshot_holder IS 'which nodes have a snapshot whole in their own store';
COMMENT ON COLUMN snapshot_holder.snapshot_id IS 'what';
COMMENT ON COLUMN snapshot_holder.node_id IS 'where';
COMMENT ON COLUMN snapshot_holder.confirmed_at IS 'last time that the node said so, database time';
