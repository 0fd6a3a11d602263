package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.util.Map;

/**
 * Freeze one workload into a snapshot.
 *
 * @param afterSave the suspend engine ignores it: its process always stays, frozen
 * @param depth of a suspend; no other engine looks at it
 * @param facts what the caller knows of the workload; {@code image} is kept in the manifest's compatibility part
 */
public record SaveRequest(
        OperationId operation,
        SnapshotId snapshot,
        ProcessId workload,
        AfterSave afterSave,
        SuspendDepth depth,
        Map<String, String> facts) {

    public SaveRequest {
        facts = Map.copyOf(facts);
    }

    /** Whose suspend releases the context too. */
    public SaveRequest(
            OperationId operation,
            SnapshotId snapshot,
            ProcessId workload,
            AfterSave afterSave,
            Map<String, String> facts) {
        this(operation, snapshot, workload, afterSave, SuspendDepth.CONTEXT_RELEASED, facts);
    }
}
