ALTER TABLE snapshot_location ADD COLUMN sealed_for text;
ALTER TABLE snapshot_location ADD COLUMN signed_by text;
ALTER TABLE snapshot_location ADD COLUMN scrub_tried_at timestamptz;
ALTER TABLE snapshot_location ADD COLUMN scrub_tried_by uuid;
ALTER TABLE snapshot_location ADD COLUMN unread text
    CHECK (unread IN ('NO_KEY', 'UNTRUSTED_SIGNER', 'NO_ANSWER', 'IN_USE'));

COMMENT ON COLUMN snapshot_location.sealed_for IS 'whose key opens its chunks, as the node that made it said; null or empty: nobody''s, or not known';
COMMENT ON COLUMN snapshot_location.signed_by IS 'id of the key that signed its manifest; null: none, or not known';
COMMENT ON COLUMN snapshot_location.scrub_tried_at IS 'last time that a scrub of it was handed out, whatever came of it, database time';
COMMENT ON COLUMN snapshot_location.scrub_tried_by IS 'the node to which it was';
COMMENT ON COLUMN snapshot_location.unread IS 'why the last scrub could not read it; null: it could, or there was none';

CREATE FUNCTION node_reads(inventory jsonb, sealed_for text, signed_by text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(jsonb_typeof(inventory -> 'access'), 'null') = 'null'
        OR (coalesce(sealed_for, '') = '' OR jsonb_exists(inventory #> '{access,opens}', sealed_for))
       AND (signed_by IS NULL OR jsonb_array_length(inventory #> '{access,trusts}') = 0
            OR jsonb_exists(inventory #> '{access,trusts}', signed_by));

COMMENT ON FUNCTION node_reads(jsonb, text, text) IS 'whether a node with this inventory can open and trusts such a copy; true where it does not say';
