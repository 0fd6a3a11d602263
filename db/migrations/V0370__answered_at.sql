ALTER TABLE node_tier ADD COLUMN answered_at timestamptz NOT NULL DEFAULT now();

COMMENT ON COLUMN node_tier.answered_at IS 'when the node last said that the tier can be used, database time; before it ever did, when it was first told of';
