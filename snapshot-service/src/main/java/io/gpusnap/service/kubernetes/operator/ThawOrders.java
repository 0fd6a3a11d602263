package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.start.Start;
import io.gpusnap.service.kubernetes.start.Starts;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.restore.Order;
import io.gpusnap.service.restore.Restores;
import org.springframework.transaction.annotation.Transactional;

/** Restores of pods: each pod has one at most, begun in the transaction that says so in the pod's row. */
@KubernetesComponent
class ThawOrders {
    private final Restores restores;
    private final Operations operations;
    private final Starts starts;

    ThawOrders(Restores restores, Operations operations, Starts starts) {
        this.restores = restores;
        this.operations = operations;
        this.starts = starts;
    }

    /** Begins it, unless somebody else has; from here on it has so many seconds. */
    @Transactional
    public void begin(Start start, Order order, int withinSeconds) {
        Restores.View view = restores.create(order);
        if (!starts.thawing(start.podUid(), view.restore().id(), withinSeconds)) {
            throw new ApiException(ErrorCode.CONFLICT, "Pod " + start.name() + " is not waiting any more.");
        }
    }

    /** Nobody waits for it any more. */
    void cancel(RestoreId id) {
        try {
            restores.get(id).operation().map(Operation::id).ifPresent(operations::cancel);
        } catch (ApiException e) {
            if (e.code() != ErrorCode.OPERATION_FINISHED && e.code() != ErrorCode.RESTORE_NOT_FOUND) {
                throw e;
            }
        }
    }
}
