CREATE TABLE kubernetes_model (
    model_name text PRIMARY KEY,
    namespace  text        NOT NULL,
    created_at timestamptz NOT NULL
);

COMMENT ON TABLE kubernetes_model IS 'which namespace a model belongs to; of models that no policy has made there is no row, and they are for all';
COMMENT ON COLUMN kubernetes_model.model_name IS 'the model, which need not be in the catalogue yet';
COMMENT ON COLUMN kubernetes_model.namespace IS 'of the policy that named it first';
COMMENT ON COLUMN kubernetes_model.created_at IS 'database time';
