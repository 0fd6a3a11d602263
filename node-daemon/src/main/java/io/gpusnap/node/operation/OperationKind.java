package io.gpusnap.node.operation;

/** What an operation does; the names are part of the node API. */
public enum OperationKind {
    SAVE,
    THAW,
    SWITCH,
    VERIFY,
    DELETE,
    TRANSFER,
    EVICT,
    SWEEP,
    SCRUB
}
