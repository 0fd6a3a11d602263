CREATE TABLE rollout (
    id                uuid PRIMARY KEY,
    model_name        text        NOT NULL,
    alias             text        NOT NULL,
    stable_version_id uuid        NOT NULL,
    stable_version    text        NOT NULL,
    canary_version_id uuid        NOT NULL,
    canary_version    text        NOT NULL,
    steps             jsonb       NOT NULL,
    phase             text        NOT NULL CHECK (phase IN ('PROGRESSING', 'PAUSED', 'HEALTHY', 'DEGRADED', 'ABORTED')),
    phase_since       timestamptz NOT NULL,
    reason            text        NOT NULL,
    step_index        integer     NOT NULL,
    weight            integer     NOT NULL CHECK (weight BETWEEN 0 AND 100),
    canary_scale      jsonb,
    share_epoch       bigint      NOT NULL,
    paused_until      timestamptz,
    held_by_user      boolean     NOT NULL,
    analysis          jsonb,
    next_check_at     timestamptz,
    created_at        timestamptz NOT NULL,
    started_at        timestamptz NOT NULL,
    version           bigint      NOT NULL
);

CREATE UNIQUE INDEX rollout_one_active_per_alias ON rollout (model_name, alias) WHERE phase IN ('PROGRESSING', 'PAUSED');
CREATE INDEX rollout_due ON rollout (next_check_at) WHERE phase IN ('PROGRESSING', 'PAUSED');
CREATE INDEX rollout_by_model ON rollout (model_name, id DESC);

COMMENT ON TABLE rollout IS 'versions on their way to an alias, step by step';
COMMENT ON COLUMN rollout.id IS 'UUID version 7';
COMMENT ON COLUMN rollout.model_name IS 'name of the model';
COMMENT ON COLUMN rollout.alias IS 'the alias that is to stand for the new version';
COMMENT ON COLUMN rollout.stable_version_id IS 'what the alias stood for when it began';
COMMENT ON COLUMN rollout.stable_version IS 'its name';
COMMENT ON COLUMN rollout.canary_version_id IS 'the new version';
COMMENT ON COLUMN rollout.canary_version IS 'its name';
COMMENT ON COLUMN rollout.steps IS 'what it does, an array; never changed';
COMMENT ON COLUMN rollout.phase IS 'see docs/control-plane.md';
COMMENT ON COLUMN rollout.phase_since IS 'database time';
COMMENT ON COLUMN rollout.reason IS 'why it is in its phase';
COMMENT ON COLUMN rollout.step_index IS 'the step that is done now, from 0';
COMMENT ON COLUMN rollout.weight IS 'so many of a hundred restores get the new version';
COMMENT ON COLUMN rollout.canary_scale IS 'how many replicas get it apart from the weight';
COMMENT ON COLUMN rollout.share_epoch IS 'one more whenever shares change; counting begins anew then';
COMMENT ON COLUMN rollout.paused_until IS 'end of a timed pause, database time';
COMMENT ON COLUMN rollout.held_by_user IS 'somebody paused it; only somebody moves it on';
COMMENT ON COLUMN rollout.analysis IS 'the analysis of the current step, or the last one, with its measurements';
COMMENT ON COLUMN rollout.next_check_at IS 'when an instance of the service looks at it next, database time; the taking of it moves this on by the lease';
COMMENT ON COLUMN rollout.created_at IS 'database time';
COMMENT ON COLUMN rollout.started_at IS 'of its first step, or of the first step after a retry; analyses look at restores from then on';
COMMENT ON COLUMN rollout.version IS 'the ETag';

CREATE TABLE rollout_share (
    rollout_id uuid PRIMARY KEY REFERENCES rollout (id) ON DELETE CASCADE,
    total      bigint NOT NULL,
    canary     bigint NOT NULL
);

COMMENT ON TABLE rollout_share IS 'how many replicas were counted since the shares last changed; held by each restore until it commits';
COMMENT ON COLUMN rollout_share.rollout_id IS 'whose';
COMMENT ON COLUMN rollout_share.total IS 'replicas that were counted';
COMMENT ON COLUMN rollout_share.canary IS 'those of them that got the new version';

CREATE TABLE rollout_replica (
    rollout_id  uuid    NOT NULL REFERENCES rollout (id) ON DELETE CASCADE,
    replica_key text    NOT NULL,
    canary      boolean NOT NULL,
    share_epoch bigint  NOT NULL,
    PRIMARY KEY (rollout_id, replica_key)
);

COMMENT ON TABLE rollout_replica IS 'which version a replica got, while its rollout is on its way';
COMMENT ON COLUMN rollout_replica.rollout_id IS 'of which rollout';
COMMENT ON COLUMN rollout_replica.replica_key IS 'the caller''s name of the replica';
COMMENT ON COLUMN rollout_replica.canary IS 'whether it got the new version';
COMMENT ON COLUMN rollout_replica.share_epoch IS 'the epoch of the shares in which it was counted';

CREATE TABLE rollout_event (
    id         uuid PRIMARY KEY,
    rollout_id uuid        NOT NULL REFERENCES rollout (id) ON DELETE CASCADE,
    type       text        NOT NULL,
    step       integer     NOT NULL,
    message    text        NOT NULL,
    who        text        NOT NULL,
    at         timestamptz NOT NULL
);

CREATE INDEX rollout_event_by_rollout ON rollout_event (rollout_id, id DESC);

COMMENT ON TABLE rollout_event IS 'what happened to rollouts; rows are only added';
COMMENT ON COLUMN rollout_event.id IS 'UUID version 7';
COMMENT ON COLUMN rollout_event.rollout_id IS 'to which';
COMMENT ON COLUMN rollout_event.type IS 'what happened';
COMMENT ON COLUMN rollout_event.step IS 'at which step, from 0';
COMMENT ON COLUMN rollout_event.message IS 'in a sentence';
COMMENT ON COLUMN rollout_event.who IS 'the caller''s name, or rollout for what it did by itself';
COMMENT ON COLUMN rollout_event.at IS 'database time';

ALTER TABLE model_version ADD COLUMN oracle jsonb;
COMMENT ON COLUMN model_version.oracle IS 'a recorded prompt and what has to be in its answer; asked after each thaw, before any traffic';
