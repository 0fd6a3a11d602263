package io.gpusnap.node.operation;

/**
 * What was asked for, complete enough to build the same plan again after a daemon restart.
 *
 * @param request a record of the {@link FactRegistry}
 */
public record OperationSpec(OperationId id, OperationKind kind, Record request) {}
