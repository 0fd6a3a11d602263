CREATE TABLE model_demand_now (
    model_name       text PRIMARY KEY REFERENCES model (name) ON DELETE CASCADE,
    request_rate     real    CHECK (request_rate >= 0),
    queue_depth      integer CHECK (queue_depth >= 0),
    replicas         integer CHECK (replicas >= 0),
    reported_at      timestamptz,
    desired_replicas integer CHECK (desired_replicas >= 0),
    desired_at       timestamptz,
    CHECK ((reported_at IS NULL) = (request_rate IS NULL OR queue_depth IS NULL OR replicas IS NULL)),
    CHECK ((desired_at IS NULL) = (desired_replicas IS NULL))
);

COMMENT ON TABLE model_demand_now IS 'the last report on each model, whole and as it came; scalers are answered from it';
COMMENT ON COLUMN model_demand_now.model_name IS 'whose';
COMMENT ON COLUMN model_demand_now.request_rate IS 'requests a second of the last report';
COMMENT ON COLUMN model_demand_now.queue_depth IS 'requests that waited at the last report';
COMMENT ON COLUMN model_demand_now.replicas IS 'replicas that the last report wanted';
COMMENT ON COLUMN model_demand_now.reported_at IS 'when the last report came, database time; null: none yet';
COMMENT ON COLUMN model_demand_now.desired_replicas IS 'replicas that an autoscaler or a deployment wants, told by itself';
COMMENT ON COLUMN model_demand_now.desired_at IS 'when it was told last, database time; null: never';

-- A step may now be known by its replicas alone.
ALTER TABLE model_demand DROP CONSTRAINT model_demand_samples_check;
ALTER TABLE model_demand ADD CONSTRAINT model_demand_samples_check CHECK (samples >= 0);
COMMENT ON COLUMN model_demand.samples IS 'whole reports that the row is made of; 0: only the replicas of the step are known';
