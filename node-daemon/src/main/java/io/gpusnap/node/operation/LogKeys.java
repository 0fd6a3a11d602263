package io.gpusnap.node.operation;

/** Keys of structured log lines. */
public final class LogKeys {

    public static final String OPERATION = "operation";
    public static final String KIND = "kind";
    public static final String STAGE = "stage";
    public static final String ATTEMPT = "attempt";
    public static final String OUTCOME = "outcome";
    public static final String CODE = "code";
    public static final String REASON = "reason";
    public static final String EPOCH = "epoch";
    public static final String NODE = "node";
    public static final String SERVICE = "service";
    public static final String PATH = "path";
    public static final String SECONDS = "seconds";

    private LogKeys() {}
}
