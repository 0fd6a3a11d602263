package io.gpusnap.node.agent;

import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.operation.StageStatus;
import org.jspecify.annotations.Nullable;

/** Has a change of stage reported at once instead of at the next interval, and passes everything on. */
final class Touching implements StageListener {

    private final StageListener next;
    private volatile @Nullable OperationSupervisor supervisor;

    Touching(StageListener next) {
        this.next = next;
    }

    void watch(OperationSupervisor newSupervisor) {
        supervisor = newSupervisor;
    }

    @Override
    public void reached(OperationSpec spec, String stage, StagePoint point) {
        next.reached(spec, stage, point);
    }

    @Override
    public void stageChanged(OperationSpec spec, StageStatus status) {
        OperationSupervisor now = supervisor;
        if (now != null) {
            now.ifHeld(spec.id(), HeldOperation::touch);
        }
        next.stageChanged(spec, status);
    }

    @Override
    public void ended(OperationSpec spec, OperationOutcome outcome) {
        next.ended(spec, outcome);
    }
}
