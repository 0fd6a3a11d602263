ALTER TABLE kubernetes_start
    ADD COLUMN cold_on    uuid,
    ADD COLUMN cold_until timestamptz,
    ADD CHECK ((cold_on IS NULL) = (cold_until IS NULL));

-- Each heartbeat asks for those of its node.
CREATE INDEX kubernetes_start_cold ON kubernetes_start (cold_on) WHERE cold_on IS NOT NULL;

COMMENT ON COLUMN kubernetes_start.cold_on IS 'node whose daemon has the pod''s containers that wait for a thaw start cold; null: the pod was on none';
COMMENT ON COLUMN kubernetes_start.cold_until IS 'by then such a container has lost its patience, and nobody need be told, database time';
