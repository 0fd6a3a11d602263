package io.gpusnap.service.operation;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.id.WorkloadId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An operation to be queued.
 *
 * @param node who is to do it
 * @param engine of the snapshot; null when it is about none
 * @param workload the process that it changes; two active operations never name the same one
 * @param restore the restore that asks for it
 * @param store of work on a tier: the store behind it, as the service names it
 */
public record NewOperation(
        NodeId node,
        OperationSpec spec,
        @Nullable Engine engine,
        Optional<WorkloadId> workload,
        Optional<RestoreId> restore,
        Optional<StoreId> store) {

    /** Of anything but work on a tier. */
    public NewOperation(
            NodeId node,
            OperationSpec spec,
            @Nullable Engine engine,
            Optional<WorkloadId> workload,
            Optional<RestoreId> restore) {
        this(node, spec, engine, workload, restore, Optional.empty());
    }
}
