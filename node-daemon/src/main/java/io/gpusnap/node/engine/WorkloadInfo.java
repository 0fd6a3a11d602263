package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.util.List;
import java.util.Optional;

/**
 * A process that carries {@code GPUSNAP_WORKLOAD}.
 *
 * @param managedBytes device memory the preload manages, 0 while it does not answer
 * @param suspendedAs the snapshot whose suspend froze it
 * @param refusals why a save would be refused now; empty: it would be accepted
 */
public record WorkloadInfo(
        ProcessId process,
        String name,
        String executable,
        String commandLine,
        State state,
        long managedBytes,
        long allocations,
        List<Integer> listeningPorts,
        Optional<SnapshotId> suspendedAs,
        List<Refusal> refusals) {

    /** As the preload tells it; UNKNOWN while it does not answer. */
    public enum State {
        RUNNING,
        QUIESCED,
        SUSPENDED,
        UNKNOWN
    }

    public record Refusal(FailureCode code, String detail) {}

    public WorkloadInfo {
        listeningPorts = List.copyOf(listeningPorts);
        refusals = List.copyOf(refusals);
    }
}
