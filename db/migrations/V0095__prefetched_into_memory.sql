ALTER TABLE prefetched ADD COLUMN tier text NOT NULL DEFAULT 'NVME' CHECK (tier IN ('NVME', 'MEMORY'));

COMMENT ON COLUMN prefetched.tier IS 'into which tier of the node''s own: its store, or its memory from there';
COMMENT ON COLUMN prefetched.node_id IS 'where to';
