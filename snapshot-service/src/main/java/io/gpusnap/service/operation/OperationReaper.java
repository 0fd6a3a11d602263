package io.gpusnap.service.operation;

import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.node.NodeStateChanged;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.List;
import org.springframework.context.event.EventListener;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/** Gives up operations that nobody works on any more. Every replica may run it: rows are taken under their lock. */
@Component
class OperationReaper {
    private static final int BATCH = 20;

    private final OperationQueue queue;
    private final OperationRepository operations;
    private final OperationSettlement settlement;

    OperationReaper(OperationQueue queue, OperationRepository operations, OperationSettlement settlement) {
        this.queue = queue;
        this.operations = operations;
        this.settlement = settlement;
    }

    @Scheduled(fixedDelayString = "${gpusnap.operations.check-interval:2s}")
    @Transactional
    void endUsedUp() {
        for (OperationId id : queue.usedUp(BATCH)) {
            operations
                    .lock(id.value())
                    .ifPresent(operation -> giveUp(
                            operation,
                            Failure.of(
                                    ErrorCode.LEASE_LOST,
                                    "The node claimed it " + operation.attempt()
                                            + " times and stopped reporting each time.",
                                    null,
                                    true)));
        }
    }

    @EventListener
    void nodeChanged(NodeStateChanged change) {
        if (change.state() != NodeState.LOST) {
            return;
        }
        for (OperationId id : queue.activeOn(change.nodeId())) {
            operations
                    .lock(id.value())
                    .ifPresent(operation -> giveUp(
                            operation,
                            Failure.of(
                                    ErrorCode.NODE_LOST,
                                    "Node " + change.name() + " is not heard any more.",
                                    null,
                                    true)));
        }
    }

    private void giveUp(Operation operation, Failure failure) {
        operation.fence();
        settlement.settle(operation, new Outcome.Failed(failure), List.of(), false);
        operations.saveAndFlush(operation);
    }
}
