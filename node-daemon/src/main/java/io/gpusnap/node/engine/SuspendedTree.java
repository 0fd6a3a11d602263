package io.gpusnap.node.engine;

import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.util.List;
import java.util.Optional;

/**
 * A workload that waits to be resumed.
 *
 * @param first what would be resumed
 * @param snapshot empty where the file does not say
 * @param processes what descended from it when it was suspended; nobody where that was before the machine was started last
 */
record SuspendedTree(ProcessId first, Optional<SnapshotId> snapshot, List<ProcessId> processes) implements NamedTree {

    SuspendedTree {
        processes = List.copyOf(processes);
    }

    /** For whoever finds the others. */
    String told() {
        return first + ", which was suspended"
                + snapshot.map(id -> " as snapshot " + id).orElse("");
    }
}
