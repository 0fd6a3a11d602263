package io.gpusnap.node.operation;

/**
 * Leaves a stage at a safe point because its operation was cancelled or fenced. Unchecked so that it passes through a
 * stage's helpers; a stage lets it through and does its undoing in {@link Stage#compensate}.
 */
public final class OperationCancelledException extends RuntimeException {

    public OperationCancelledException(String reason) {
        super(reason);
    }
}
