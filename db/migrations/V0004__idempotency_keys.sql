CREATE TABLE idempotency_key (
    key             text PRIMARY KEY,
    fingerprint     bytea       NOT NULL,
    owner           uuid        NOT NULL,
    in_flight_until timestamptz NOT NULL,
    status          integer,
    location        text,
    etag            text,
    body            text,
    expires_at      timestamptz NOT NULL
);

CREATE INDEX idempotency_key_by_expiry ON idempotency_key (expires_at);

COMMENT ON TABLE idempotency_key IS 'creates that were done, and their answers for repeats';
COMMENT ON COLUMN idempotency_key.key IS 'value of the Idempotency-Key header, without quotes';
COMMENT ON COLUMN idempotency_key.fingerprint IS 'SHA-256 over method, path and body; another request with the key is refused';
COMMENT ON COLUMN idempotency_key.owner IS 'the request that is working on it';
COMMENT ON COLUMN idempotency_key.in_flight_until IS 'while there is no answer: after this database time its request is taken for dead';
COMMENT ON COLUMN idempotency_key.status IS 'HTTP status of the answer, empty while in flight';
COMMENT ON COLUMN idempotency_key.location IS 'Location of the answer';
COMMENT ON COLUMN idempotency_key.etag IS 'ETag of the answer, where it has one';
COMMENT ON COLUMN idempotency_key.body IS 'JSON body of the answer';
COMMENT ON COLUMN idempotency_key.expires_at IS 'the row is forgotten after this database time';
