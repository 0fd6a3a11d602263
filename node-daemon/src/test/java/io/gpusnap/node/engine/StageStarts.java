package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;

/** Does something when a stage starts. */
record StageStarts(String stage, Runnable action) implements StageListener {

    @Override
    public void reached(OperationSpec spec, String reached, StagePoint point) {
        if (reached.equals(stage) && point == StagePoint.STARTED) {
            action.run();
        }
    }
}
