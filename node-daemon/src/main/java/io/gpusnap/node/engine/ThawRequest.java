package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.store.SnapshotId;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Bring a snapshot back to life on this node.
 *
 * @param manifestDigest SHA-256 of the manifest as the caller remembers it; a manifest with another one is refused
 * @param gpuRemap GPU ordinal in the manifest to GPU UUID here; an ordinal that is not named goes to the same UUID where
 *     there is one, else to the GPU of the same ordinal
 * @param probe what the process has to answer before the thaw has succeeded
 * @param container that waits for it; a snapshot of a workload in a container needs one, and no other has one
 * @param sources names of tiers: of shared ones these are read first, in this order
 */
public record ThawRequest(
        OperationId operation,
        SnapshotId snapshot,
        Optional<String> manifestDigest,
        Map<Integer, String> gpuRemap,
        Optional<AnswerProbe> probe,
        Optional<ContainerRef> container,
        List<String> sources) {

    public ThawRequest {
        sources = List.copyOf(sources);
        gpuRemap = Map.copyOf(gpuRemap);
    }

    /** To where it was: among the node's own processes, or where it was suspended. */
    public ThawRequest(
            OperationId operation,
            SnapshotId snapshot,
            Optional<String> manifestDigest,
            Map<Integer, String> gpuRemap,
            Optional<AnswerProbe> probe) {
        this(operation, snapshot, manifestDigest, gpuRemap, probe, Optional.empty(), List.of());
    }
}
