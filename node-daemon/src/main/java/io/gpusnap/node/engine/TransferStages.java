package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StagePlan;
import java.util.List;

/** Plans transfers, by what the snapshot is copied into. */
final class TransferStages {

    private TransferStages() {}

    static StagePlan plan(NodeRuntime runtime, TransferRequest request) throws StageException {
        TransferSession session = new TransferSession(runtime, request);
        List<Stage> stages = switch (request.to().name()) {
            case Tiers.NVME -> List.of(new TransferPreflight(session), new PullCopy(session), new PullCommit(session));
            case Tiers.MEMORY -> List.of(new TransferPreflight(session), new PoolCopy(session));
            default -> List.of(new TransferPreflight(session), new PushCopy(session), new PushCommit(session));
        };
        return new StagePlan(OperationKind.TRANSFER, stages, session::release);
    }
}
