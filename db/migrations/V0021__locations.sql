CREATE TABLE store (
    id            uuid PRIMARY KEY,
    kind          text        NOT NULL CHECK (kind IN ('MEMORY', 'NVME', 'NFS', 'S3')),
    node_id       uuid REFERENCES node (id) ON DELETE CASCADE,
    first_seen_at timestamptz NOT NULL,
    CONSTRAINT store_of_a_node CHECK ((kind IN ('MEMORY', 'NVME')) = (node_id IS NOT NULL))
);

CREATE UNIQUE INDEX store_by_node ON store (node_id, kind) WHERE node_id IS NOT NULL;

COMMENT ON TABLE store IS 'what holds chunks: a node''s memory pool, a node''s own store, a shared directory, a bucket';
COMMENT ON COLUMN store.id IS 'of a shared one as its nodes report it, of a node''s own derived from node and kind';
COMMENT ON COLUMN store.kind IS 'how it is reached, and so how fast and how durable it is';
COMMENT ON COLUMN store.node_id IS 'whose it is; null for a shared one';
COMMENT ON COLUMN store.first_seen_at IS 'database time';

CREATE TABLE node_tier (
    node_id           uuid        NOT NULL REFERENCES node (id) ON DELETE CASCADE,
    store_id          uuid        NOT NULL REFERENCES store (id),
    name              text        NOT NULL,
    reported_store_id uuid,
    capacity_bytes    bigint      NOT NULL,
    free_bytes        bigint      NOT NULL,
    used_bytes        bigint      NOT NULL,
    health            text        NOT NULL CHECK (health IN ('HEALTHY', 'DEGRADED', 'UNHEALTHY')),
    health_reason     text,
    PRIMARY KEY (node_id, store_id)
);

CREATE INDEX node_tier_by_store ON node_tier (store_id);

COMMENT ON TABLE node_tier IS 'which node sees which store under which name, as it last said';
COMMENT ON COLUMN node_tier.node_id IS 'who';
COMMENT ON COLUMN node_tier.store_id IS 'what';
COMMENT ON COLUMN node_tier.name IS 'unique on the node';
COMMENT ON COLUMN node_tier.reported_store_id IS 'what the node itself calls the store; operations on the tier carry it; null when it did not say';
COMMENT ON COLUMN node_tier.capacity_bytes IS '0 for a store without bound';
COMMENT ON COLUMN node_tier.free_bytes IS 'what gpusnap may still take';
COMMENT ON COLUMN node_tier.used_bytes IS 'gpusnap''s own';
COMMENT ON COLUMN node_tier.health IS 'nothing is asked of an UNHEALTHY one';
COMMENT ON COLUMN node_tier.health_reason IS 'why it is not HEALTHY';

CREATE TABLE snapshot_location (
    snapshot_id  uuid        NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    store_id     uuid        NOT NULL REFERENCES store (id) ON DELETE CASCADE,
    state        text        NOT NULL CHECK (state IN ('COPYING', 'PRESENT', 'REMOVING', 'CORRUPT')),
    reason       text,
    damage       text,
    since        timestamptz NOT NULL,
    confirmed_at timestamptz NOT NULL,
    verified_at  timestamptz,
    PRIMARY KEY (snapshot_id, store_id),
    CONSTRAINT snapshot_location_corrupt_says_why CHECK (state <> 'CORRUPT' OR damage IS NOT NULL)
);

CREATE INDEX snapshot_location_by_store ON snapshot_location (store_id, state, verified_at);

COMMENT ON TABLE snapshot_location IS 'copies of snapshots: which store has which snapshot whole';
COMMENT ON COLUMN snapshot_location.snapshot_id IS 'what';
COMMENT ON COLUMN snapshot_location.store_id IS 'where';
COMMENT ON COLUMN snapshot_location.state IS 'COPYING and REMOVING: an operation is at it; PRESENT: whole and proven; CORRUPT: found wrong, never read again';
COMMENT ON COLUMN snapshot_location.reason IS 'why it was copied, or is removed';
COMMENT ON COLUMN snapshot_location.damage IS 'what was found wrong with it';
COMMENT ON COLUMN snapshot_location.since IS 'in this state, database time';
COMMENT ON COLUMN snapshot_location.confirmed_at IS 'last time that it was new or that its node said it again, database time';
COMMENT ON COLUMN snapshot_location.verified_at IS 'last time that all of it was read and found right, database time';

INSERT INTO store (id, kind, node_id, first_seen_at)
SELECT md5('store of ' || n.id || ' NVME')::uuid, 'NVME', n.id, now() FROM node n;

INSERT INTO snapshot_location (snapshot_id, store_id, state, since, confirmed_at)
SELECT h.snapshot_id, s.id, 'PRESENT', h.confirmed_at, h.confirmed_at
  FROM snapshot_holder h JOIN store s ON s.node_id = h.node_id AND s.kind = 'NVME';

DROP TABLE snapshot_holder;

CREATE VIEW snapshot_holder AS
SELECT l.snapshot_id, s.node_id, l.confirmed_at
  FROM snapshot_location l JOIN store s ON s.id = l.store_id
 WHERE s.kind = 'NVME' AND l.state = 'PRESENT';

COMMENT ON VIEW snapshot_holder IS 'which nodes have a snapshot whole in their own store';

ALTER TABLE snapshot ADD COLUMN distinct_bytes bigint CHECK (distinct_bytes >= 0);
COMMENT ON COLUMN snapshot.distinct_bytes IS 'bytes of its different chunks that are not zero: what one copy takes when nothing is shared; null until READY';

CREATE TABLE snapshot_chunks (
    snapshot_id uuid PRIMARY KEY REFERENCES snapshot (id) ON DELETE CASCADE,
    prefixes    bigint[] NOT NULL
);

COMMENT ON TABLE snapshot_chunks IS 'which chunks a snapshot names, only for the accounting of sizes';
COMMENT ON COLUMN snapshot_chunks.snapshot_id IS 'whose';
COMMENT ON COLUMN snapshot_chunks.prefixes IS 'first 8 bytes of the digests of its different chunks that are not zero, ascending';

CREATE TABLE chunk_use (
    prefix     bigint PRIMARY KEY,
    size_bytes integer NOT NULL CHECK (size_bytes > 0),
    snapshots  integer NOT NULL CHECK (snapshots > 0)
);

COMMENT ON TABLE chunk_use IS 'how many snapshots name a chunk, only for the accounting of sizes; nothing is deleted by it';
COMMENT ON COLUMN chunk_use.prefix IS 'first 8 bytes of the digest';
COMMENT ON COLUMN chunk_use.size_bytes IS 'of the chunk';
COMMENT ON COLUMN chunk_use.snapshots IS 'number of snapshots that name it';

-- What was taken before this release, from the manifests that are there.
CREATE TEMPORARY TABLE named ON COMMIT DROP AS
SELECT m.snapshot_id, ('x' || substr(c ->> 'digest', 1, 16))::bit(64)::bigint AS prefix, max((c ->> 'sizeBytes')::integer) AS size_bytes
  FROM snapshot_manifest m,
       jsonb_path_query(convert_from(m.content, 'UTF8')::jsonb, '$.**.chunks[*]') c
 WHERE c ->> 'digest' <> 'zero'
 GROUP BY 1, 2;

INSERT INTO snapshot_chunks (snapshot_id, prefixes)
SELECT snapshot_id, array_agg(prefix ORDER BY prefix) FROM named GROUP BY snapshot_id;
INSERT INTO chunk_use (prefix, size_bytes, snapshots)
SELECT prefix, max(size_bytes), count(*) FROM named GROUP BY prefix;
UPDATE snapshot s SET distinct_bytes = n.bytes
  FROM (SELECT snapshot_id, sum(size_bytes) AS bytes FROM named GROUP BY snapshot_id) n
 WHERE n.snapshot_id = s.id;
