package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Resume a suspended process on its GPU, and make room for it there.
 *
 * @param snapshot what it is frozen as
 * @param manifestDigest as in {@link ThawRequest}
 * @param gpuUuid the GPU that the caller means; another one of the process's is refused
 * @param candidates who may have to make room, in the order in which they are asked to
 */
public record SwitchRequest(
        OperationId operation,
        SnapshotId snapshot,
        Optional<String> manifestDigest,
        Optional<String> gpuUuid,
        Policy policy,
        List<Candidate> candidates) {

    /** Who has to make room. */
    public enum Policy {
        /** As few as are needed. */
        EVICT_IF_NEEDED,
        /** Every candidate with memory on that GPU. */
        SUSPEND_OTHERS
    }

    /**
     * A workload that may be suspended, with its context kept. One that has ended or waits already is passed over.
     *
     * @param snapshot what it is then frozen as
     * @param facts as in {@link SaveRequest}
     */
    public record Candidate(ProcessId workload, SnapshotId snapshot, Map<String, String> facts) {

        public Candidate {
            facts = Map.copyOf(facts);
        }
    }

    public SwitchRequest {
        candidates = List.copyOf(candidates);
        Set<Object> seen = new HashSet<>(Set.of(snapshot));
        for (Candidate candidate : candidates) {
            if (!seen.add(candidate.workload()) || !seen.add(candidate.snapshot())) {
                throw new IllegalArgumentException("a workload or snapshot is named twice: " + candidate);
            }
        }
    }
}
