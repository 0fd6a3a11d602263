package io.gpusnap.service.operation;

/** What a daemon can be asked to do. */
public enum OperationKind {
    SAVE,
    THAW,
    VERIFY,
    DELETE
}
