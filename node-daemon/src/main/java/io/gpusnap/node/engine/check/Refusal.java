package io.gpusnap.node.engine.check;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;

/** One reason against. */
public record Refusal(FailureCode code, String detail) {

    public StageException asException() {
        return new StageException(code, detail);
    }
}
