package io.gpusnap.node.operation;

/** Builds the plan of an operation, the first time and again after a daemon restart. */
@FunctionalInterface
public interface PlanFactory {

    /** @throws StageException when the request cannot be planned at all: unknown engine, unusable identifier */
    StagePlan plan(OperationSpec spec) throws StageException;
}
