CREATE TABLE prefetched (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_name  text             NOT NULL,
    snapshot_id uuid             NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    node_id     uuid             NOT NULL REFERENCES node (id) ON DELETE CASCADE,
    bytes       bigint           NOT NULL CHECK (bytes >= 0),
    probability double precision NOT NULL CHECK (probability BETWEEN 0 AND 1),
    expected_at timestamptz      NOT NULL,
    asked_at    timestamptz      NOT NULL,
    arrived_at  timestamptz,
    used_at     timestamptz,
    outcome     text CHECK (outcome IN ('USED', 'WASTED', 'FAILED')),
    ended_at    timestamptz,
    CONSTRAINT prefetched_end_has_time CHECK ((outcome IS NULL) = (ended_at IS NULL)),
    CONSTRAINT prefetched_use_has_time CHECK ((outcome = 'USED') = (used_at IS NOT NULL) OR outcome IS NULL)
);

CREATE INDEX prefetched_open ON prefetched (snapshot_id, node_id) WHERE outcome IS NULL;
CREATE INDEX prefetched_by_place ON prefetched (node_id, snapshot_id);
CREATE INDEX prefetched_by_end ON prefetched (ended_at);

COMMENT ON TABLE prefetched IS 'copies that were brought to nodes ahead of a scale-up, and what came of them; forgotten after gpusnap.prefetch.retention';
COMMENT ON COLUMN prefetched.id IS 'a number';
COMMENT ON COLUMN prefetched.model_name IS 'whose scale-up was expected';
COMMENT ON COLUMN prefetched.snapshot_id IS 'what was brought';
COMMENT ON COLUMN prefetched.node_id IS 'where to, into the node''s own store';
COMMENT ON COLUMN prefetched.bytes IS 'what the copy takes';
COMMENT ON COLUMN prefetched.probability IS 'of the scale-up, by the forecast';
COMMENT ON COLUMN prefetched.expected_at IS 'when the scale-up was most probable';
COMMENT ON COLUMN prefetched.asked_at IS 'database time';
COMMENT ON COLUMN prefetched.arrived_at IS 'when the copy was whole, database time; empty before';
COMMENT ON COLUMN prefetched.used_at IS 'when the first restore that used it was asked for, database time';
COMMENT ON COLUMN prefetched.outcome IS 'USED by a restore, WASTED, or FAILED to arrive; empty while that is open';
COMMENT ON COLUMN prefetched.ended_at IS 'when the outcome was noted, database time';

CREATE TABLE prefetch_round (
    id           integer PRIMARY KEY CHECK (id = 1),
    due_at       timestamptz NOT NULL,
    looked_until timestamptz NOT NULL
);

INSERT INTO prefetch_round VALUES (1, now(), now());

COMMENT ON TABLE prefetch_round IS 'whose turn it is to plan what is brought ahead, in one row';
COMMENT ON COLUMN prefetch_round.id IS 'always 1';
COMMENT ON COLUMN prefetch_round.due_at IS 'when the next plan is due, database time';
COMMENT ON COLUMN prefetch_round.looked_until IS 'thaws that ended up to this time are counted, database time';

CREATE INDEX restore_by_end ON restore (ended_at) WHERE thaw_seconds IS NOT NULL;
