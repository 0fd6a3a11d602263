-- A decision looks at shared stores; there are few of them among the stores of all nodes.
CREATE INDEX store_shared ON store (id) WHERE node_id IS NULL;
