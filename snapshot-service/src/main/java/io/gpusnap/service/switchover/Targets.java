package io.gpusnap.service.switchover;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.restore.Restores;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.workload.Workload;
import io.gpusnap.service.workload.WorkloadState;
import io.gpusnap.service.workload.Workloads;
import java.util.List;
import java.util.Optional;
import org.springframework.stereotype.Component;

/** Finds the process that a caller wants to switch to. */
@Component
class Targets {
    private static final int LONGEST_LIST = 200;

    private final Snapshots snapshots;
    private final Restores restores;
    private final Workloads workloads;
    private final Candidates candidates;

    Targets(Snapshots snapshots, Restores restores, Workloads workloads, Candidates candidates) {
        this.snapshots = snapshots;
        this.restores = restores;
        this.workloads = workloads;
        this.candidates = candidates;
    }

    /** @throws ApiException SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_READY, SNAPSHOT_QUARANTINED, CONFLICT, NO_NODE, WORKLOAD_LOST */
    Target of(Node node, SnapshotId id) {
        Snapshot snapshot = snapshots.lockReady(id);
        if (snapshot.engine() != Engine.SUSPEND) {
            throw new ApiException(
                    ErrorCode.CONFLICT,
                    "Snapshot " + id + " was made by engine " + snapshot.engine()
                            + "; a switch resumes suspended processes. Restore it instead.");
        }
        if (!snapshot.nodeId().equals(node.id())) {
            throw new ApiException(
                    ErrorCode.NO_NODE, "The process of snapshot " + id + " is not on node " + node.name() + ".");
        }
        restores.requireNotResumed(snapshot);
        Workload workload = snapshot.workloadId()
                .flatMap(workloads::find)
                .filter(process -> process.state().mayExist())
                .orElseThrow(() -> new ApiException(
                        ErrorCode.WORKLOAD_LOST, "The process that snapshot " + id + " suspended is gone."));
        return new Target(workload, id, snapshot.manifestDigest());
    }

    /** @throws ApiException WORKLOAD_NOT_FOUND, WORKLOAD_NOT_SUSPENDED, CONFLICT, and as for a snapshot */
    Target of(Node node, String name) {
        List<Workload> found =
                workloads.list(node.id(), name, null, PageQuery.of("switch", LONGEST_LIST, null)).items().stream()
                        .filter(workload -> workload.state().mayExist())
                        .toList();
        if (found.isEmpty()) {
            throw new ApiException(
                    ErrorCode.WORKLOAD_NOT_FOUND, "No workload of node " + node.name() + " is named " + name + ".");
        }
        if (found.size() > 1) {
            throw new ApiException(
                    ErrorCode.CONFLICT,
                    found.size() + " workloads of node " + node.name() + " are named " + name
                            + "; name the snapshot instead.");
        }
        Workload workload = found.getFirst();
        SnapshotId suspended = workload.suspendedSnapshotId();
        if (workload.state() == WorkloadState.SUSPENDED && suspended != null) {
            return of(node, suspended);
        }
        Optional<SnapshotId> soon = candidates.soonFrozenAs(workload.id());
        return soon.map(snapshot -> new Target(workload, snapshot, Optional.empty()))
                .orElseThrow(() -> new ApiException(
                        ErrorCode.WORKLOAD_NOT_SUSPENDED,
                        "Workload " + name + " is " + workload.state() + ", and nothing is about to suspend it."));
    }
}
