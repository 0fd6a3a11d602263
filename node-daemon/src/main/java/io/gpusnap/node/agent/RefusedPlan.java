package io.gpusnap.node.agent;

import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StagePlan;
import java.util.List;

/** The plan of a request that cannot be planned: its only stage fails with the reason. */
public final class RefusedPlan {

    private RefusedPlan() {}

    public static StagePlan of(OperationKind kind, StageException reason) {
        return new StagePlan(kind, List.of(new Stage() {
            @Override
            public String name() {
                return "preflight";
            }

            @Override
            public void run(StageContext context) throws StageException {
                throw reason;
            }
        }));
    }
}
