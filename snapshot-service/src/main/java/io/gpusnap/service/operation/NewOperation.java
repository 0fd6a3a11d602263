package io.gpusnap.service.operation;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.WorkloadId;
import java.util.Optional;

/**
 * An operation to be queued.
 *
 * @param node who is to do it
 * @param engine of the snapshot
 * @param workload the process that it changes; two active operations never name the same one
 * @param restore the restore that asks for it
 */
public record NewOperation(
        NodeId node, OperationSpec spec, Engine engine, Optional<WorkloadId> workload, Optional<RestoreId> restore) {}
