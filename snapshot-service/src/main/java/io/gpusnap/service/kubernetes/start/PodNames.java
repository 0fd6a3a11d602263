package io.gpusnap.service.kubernetes.start;

/** Labels, annotations and conditions of pods. */
public final class PodNames {
    /** Label of a pod's owner: {@code true} lets gpusnap look after it. */
    public static final String MANAGED = "gpusnap.io/managed";
    /** Annotation of a pod's owner: the container with the GPU process; absent: the first. */
    public static final String CONTAINER = "gpusnap.io/container";
    /** Annotation of a pod's owner: a PodSnapshot of its namespace that it starts from. */
    public static final String RESTORE_FROM = "gpusnap.io/restore-from";
    /** Annotation of a pod's owner: an alias of the model; absent: the version that the pod's own image is. */
    public static final String ALIAS = "gpusnap.io/alias";

    /** Annotation of the webhook: the container that waits for a thaw. */
    public static final String WAITS = "gpusnap.io/waiting-container";
    /** Annotation: so many seconds the placeholder waits for a thaw that nobody begins; 0 starts cold at once. */
    public static final String PLACEHOLDER_WAIT = "gpusnap.io/placeholder-wait-seconds";
    /** Annotation: RESTORE or COLD, once it is decided. */
    public static final String START = "gpusnap.io/start";
    /** Annotation: why it starts cold. */
    public static final String REASON = "gpusnap.io/start-reason";

    /** Annotation that ReplicaSets heed when they are scaled down: of pods that are ready, those with the least go first. */
    public static final String DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";
    /** Annotation: how well it is placed, which is why its deletion costs what it does. */
    public static final String STANDING = "gpusnap.io/standing";

    /** Scheduling gate: the node is not chosen yet. */
    public static final String GATE = "gpusnap.io/placement";
    /** Condition and readiness gate: the process is back, or the container has started by itself. */
    public static final String STARTED = "gpusnap.io/Started";

    /** Environment: the daemon reports the process under it. The webhook sets it to the pod's uid. */
    public static final String WORKLOAD_VARIABLE = "GPUSNAP_WORKLOAD";
    /** Environment: where the preload library makes its socket. The webhook sets it where the root is read-only. */
    public static final String SOCKET_VARIABLE = "GPUSNAP_SOCKET_DIR";
    /** Environment of the placeholder. */
    public static final String WAIT_VARIABLE = "GPUSNAP_PLACEHOLDER_WAIT";

    private PodNames() {}
}
