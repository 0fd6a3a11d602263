ALTER TABLE model_version
    ADD COLUMN parent    text,
    ADD COLUMN changes   text,
    ADD COLUMN tags      jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN frozen_at timestamptz;

COMMENT ON COLUMN model_version.parent IS 'name of the version of the same model that it was made from; set once, so lineages have no cycles';
COMMENT ON COLUMN model_version.changes IS 'what changed against the parent, in words';
COMMENT ON COLUMN model_version.tags IS 'free words to find it by, an array of strings';
COMMENT ON COLUMN model_version.frozen_at IS 'when its first snapshot became READY, database time; its facts never change from then on';

UPDATE model_version v SET frozen_at = (SELECT min(s.ready_at) FROM snapshot s WHERE s.version_id = v.id AND s.ready_at IS NOT NULL);

CREATE TABLE model_alias (
    model_name text        NOT NULL REFERENCES model (name),
    name       text        NOT NULL,
    version_id uuid        NOT NULL CONSTRAINT model_alias_version REFERENCES model_version (id),
    version    bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (model_name, name)
);

CREATE INDEX model_alias_by_version ON model_alias (version_id);

COMMENT ON TABLE model_alias IS 'names that move from version to version, such as stable and canary';
COMMENT ON COLUMN model_alias.model_name IS 'its model';
COMMENT ON COLUMN model_alias.name IS 'DNS label, unique within the model';
COMMENT ON COLUMN model_alias.version_id IS 'the version that it stands for; the reference keeps that version from being deleted';
COMMENT ON COLUMN model_alias.version IS 'the ETag';
COMMENT ON COLUMN model_alias.created_at IS 'database time';
COMMENT ON COLUMN model_alias.updated_at IS 'last move, database time';

CREATE TABLE alias_change (
    id           uuid PRIMARY KEY,
    model_name   text        NOT NULL,
    alias        text        NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('CREATED', 'PROMOTED', 'ROLLED_OUT', 'ROLLED_BACK', 'DELETED')),
    from_version text,
    to_version   text,
    who          text        NOT NULL,
    why          text        NOT NULL,
    at           timestamptz NOT NULL
);

CREATE INDEX alias_change_by_alias ON alias_change (model_name, alias, id DESC);

COMMENT ON TABLE alias_change IS 'every move of every alias; rows are only added';
COMMENT ON COLUMN alias_change.id IS 'UUID version 7';
COMMENT ON COLUMN alias_change.model_name IS 'name of the model, also after that was deleted';
COMMENT ON COLUMN alias_change.alias IS 'name of the alias, also after that was deleted';
COMMENT ON COLUMN alias_change.kind IS 'what was done';
COMMENT ON COLUMN alias_change.from_version IS 'name of the version before; empty when it was created';
COMMENT ON COLUMN alias_change.to_version IS 'name of the version after; empty when it was deleted';
COMMENT ON COLUMN alias_change.who IS 'the caller''s name, as it was proven';
COMMENT ON COLUMN alias_change.why IS 'in the caller''s words, or the rollout''s';
COMMENT ON COLUMN alias_change.at IS 'database time';

CREATE TABLE compatibility_class (
    key   text PRIMARY KEY,
    facts jsonb NOT NULL
);

COMMENT ON TABLE compatibility_class IS 'what a node must be like to thaw a snapshot; many snapshots share one';
COMMENT ON COLUMN compatibility_class.key IS 'digest of the facts';
COMMENT ON COLUMN compatibility_class.facts IS 'architecture, kernel, CPU features, GPUs, driver: as the manifest has them';

ALTER TABLE snapshot
    ADD COLUMN class_key     text NOT NULL DEFAULT '',
    ADD COLUMN needs         jsonb,
    ADD COLUMN thaw_failures integer NOT NULL DEFAULT 0;

COMMENT ON COLUMN snapshot.class_key IS 'its compatibility class; empty where the manifest did not say, or before it is READY';
COMMENT ON COLUMN snapshot.needs IS 'what it needs besides its class: device memory by GPU, mounts, image';
COMMENT ON COLUMN snapshot.thaw_failures IS 'thaws that failed in a row for a reason that may lie in the snapshot';

CREATE INDEX snapshot_ready_by_class ON snapshot (model_name, version_name, engine, class_key, id DESC) WHERE state = 'READY';
