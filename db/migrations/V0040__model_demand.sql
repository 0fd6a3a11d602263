CREATE TABLE model_demand (
    model_name   text        NOT NULL REFERENCES model (name) ON DELETE CASCADE,
    at           timestamptz NOT NULL,
    samples      integer     NOT NULL CHECK (samples > 0),
    request_rate real        NOT NULL CHECK (request_rate >= 0),
    queue_depth  integer     NOT NULL CHECK (queue_depth >= 0),
    replicas     integer     NOT NULL CHECK (replicas >= 0),
    PRIMARY KEY (model_name, at)
);

CREATE INDEX model_demand_by_age ON model_demand (at);

COMMENT ON TABLE model_demand IS 'what models were asked for, one row a model and step; forgotten after gpusnap.forecast.retention';
COMMENT ON COLUMN model_demand.model_name IS 'whose';
COMMENT ON COLUMN model_demand.at IS 'when the step began, database time';
COMMENT ON COLUMN model_demand.samples IS 'reports that the row is made of';
COMMENT ON COLUMN model_demand.request_rate IS 'mean of the reported requests a second';
COMMENT ON COLUMN model_demand.queue_depth IS 'most requests that waited';
COMMENT ON COLUMN model_demand.replicas IS 'most replicas that were wanted';
