package io.gpusnap.node.engine;

/** Name of a checkpoint engine, part of the API. */
public record EngineId(String value) {

    /** The whole process leaves: CRIU for the host side, driver checkpoint for the rest of the context. */
    public static final EngineId CRIU_CUDA = new EngineId("criu+cuda");
    /** The process stays, frozen; its device memory leaves. */
    public static final EngineId SUSPEND = new EngineId("suspend");

    public EngineId {
        if (!value.matches("[a-z][a-z0-9+-]{0,31}")) {
            throw new IllegalArgumentException("not an engine name: " + value);
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
