package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.time.Duration;
import java.util.Map;

/**
 * Freeze one workload into a snapshot.
 *
 * @param afterSave the suspend engine ignores it: its process always stays, frozen
 * @param depth of a suspend; no other engine looks at it
 * @param quiesceLimit so long the application's callbacks may take, and its device to become idle
 * @param facts what the caller knows of the workload; {@code image} is kept in the manifest's compatibility part
 */
public record SaveRequest(
        OperationId operation,
        SnapshotId snapshot,
        ProcessId workload,
        AfterSave afterSave,
        SuspendDepth depth,
        Duration quiesceLimit,
        Map<String, String> facts) {

    public static final Duration QUIESCE_LIMIT = Duration.ofSeconds(30);

    /** @throws IllegalArgumentException for a limit that is none */
    public SaveRequest {
        if (!quiesceLimit.isPositive()) {
            throw new IllegalArgumentException("nothing comes to rest within " + quiesceLimit);
        }
        facts = Map.copyOf(facts);
    }

    /** Whose suspend releases the context too, within the usual time. */
    public SaveRequest(
            OperationId operation,
            SnapshotId snapshot,
            ProcessId workload,
            AfterSave afterSave,
            Map<String, String> facts) {
        this(operation, snapshot, workload, afterSave, SuspendDepth.CONTEXT_RELEASED, QUIESCE_LIMIT, facts);
    }
}
