ALTER TABLE rollout ADD COLUMN epoch bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN rollout.epoch IS 'one more whenever an instance of the service takes it; what an earlier taker found out is refused';
