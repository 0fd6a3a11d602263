ALTER TABLE restore
    ALTER COLUMN snapshot_id DROP NOT NULL,
    ALTER COLUMN node_id DROP NOT NULL,
    ADD COLUMN model_name   text,
    ADD COLUMN version_name text,
    ADD COLUMN alias        text,
    ADD COLUMN replica_key  text,
    ADD COLUMN rollout_id   uuid,
    ADD COLUMN wish         jsonb,
    ADD COLUMN attempts     jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN outcome      text CHECK (outcome IN ('RESTORED', 'COLD', 'FAILED', 'CANCELLED')),
    ADD COLUMN cold_reason  jsonb,
    ADD COLUMN first_answer_seconds double precision,
    ADD COLUMN ended_at     timestamptz,
    ADD CONSTRAINT restore_end_has_time CHECK ((outcome IS NULL) = (ended_at IS NULL)),
    ADD CONSTRAINT restore_cold_has_reason CHECK ((outcome = 'COLD') = (cold_reason IS NOT NULL));

UPDATE restore r SET model_name = s.model_name, version_name = s.version_name FROM snapshot s WHERE s.id = r.snapshot_id;
UPDATE restore r
   SET outcome = CASE o.state WHEN 'SUCCEEDED' THEN 'RESTORED' WHEN 'CANCELLED' THEN 'CANCELLED' ELSE 'FAILED' END,
       ended_at = o.finished_at
  FROM operation o WHERE o.restore_id = r.id AND o.finished_at IS NOT NULL;

ALTER TABLE restore ALTER COLUMN model_name SET NOT NULL, ALTER COLUMN version_name SET NOT NULL;

CREATE INDEX restore_thawed ON restore (model_name, version_name, id DESC) WHERE thaw_seconds IS NOT NULL;
CREATE INDEX restore_by_rollout ON restore (rollout_id, id DESC) WHERE rollout_id IS NOT NULL;

COMMENT ON TABLE restore IS 'what a caller wanted back, what was decided, and what came of it';
COMMENT ON COLUMN restore.snapshot_id IS 'what is tried, or was tried last; empty when there was nothing to try';
COMMENT ON COLUMN restore.node_id IS 'where';
COMMENT ON COLUMN restore.decision IS 'the chain of ways back with their reasons, and why not the others';
COMMENT ON COLUMN restore.model_name IS 'name of the model when it was asked for';
COMMENT ON COLUMN restore.version_name IS 'name of the version that was chosen';
COMMENT ON COLUMN restore.alias IS 'the alias that was asked for';
COMMENT ON COLUMN restore.replica_key IS 'the caller''s name of the replica';
COMMENT ON COLUMN restore.rollout_id IS 'the rollout that chose the version';
COMMENT ON COLUMN restore.wish IS 'what was asked for; empty for a switch, which decides itself';
COMMENT ON COLUMN restore.attempts IS 'each way that was tried: snapshot, node, operation, and how it ended';
COMMENT ON COLUMN restore.outcome IS 'how it ended; empty while it is on its way';
COMMENT ON COLUMN restore.cold_reason IS 'why the caller has to start it itself';
COMMENT ON COLUMN restore.first_answer_seconds IS 'until the process had answered its version''s oracle, by the daemon''s clock';
COMMENT ON COLUMN restore.ended_at IS 'database time';
