CREATE TABLE kubernetes_model_share (
    model_name text NOT NULL,
    namespace  text NOT NULL,
    PRIMARY KEY (model_name, namespace)
);

COMMENT ON TABLE kubernetes_model_share IS 'what the Models'' spec.sharedWith says, for instances that do not lead and have heard of no Model';
COMMENT ON COLUMN kubernetes_model_share.model_name IS 'the Model';
COMMENT ON COLUMN kubernetes_model_share.namespace IS 'that it is shared with; * for all';
