package io.gpusnap.service.restore;

import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.NewOperation;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationSpec;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.snapshot.CopySources;
import io.gpusnap.service.snapshot.Needs;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.version.ModelVersion;
import io.gpusnap.service.version.ModelVersions;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Sets out on a way back: holds its snapshot and queues its THAW. */
@Component
class Ways {
    private static final int OK = 200;
    private static final int PATIENCE_SECONDS = 30;

    private final RestoreRepository restores;
    private final Snapshots snapshots;
    private final Offers offers;
    private final Nodes nodes;
    private final CopySources sources;
    private final Operations operations;
    private final ModelVersions versions;
    private final DatabaseClock clock;

    Ways(
            RestoreRepository restores,
            Snapshots snapshots,
            Offers offers,
            Nodes nodes,
            CopySources sources,
            Operations operations,
            ModelVersions versions,
            DatabaseClock clock) {
        this.versions = versions;
        this.restores = restores;
        this.snapshots = snapshots;
        this.offers = offers;
        this.nodes = nodes;
        this.sources = sources;
        this.operations = operations;
        this.clock = clock;
    }

    record SetOut(Restore restore, Snapshot snapshot, Operation operation) {}

    /**
     * Whether it is still as it was decided. Then it stays so until the caller's transaction ends: the snapshot is READY, and
     * a process that is to be resumed waits in it, and nobody else resumes it.
     */
    @Transactional(propagation = Propagation.MANDATORY)
    boolean canSetOut(Decision.Step step) {
        SnapshotId snapshot = Objects.requireNonNull(step.snapshotId());
        return snapshots.holdIfReady(snapshot) && (step.way() != Decision.Way.RESUME || offers.canBeResumed(snapshot));
    }

    /** @throws io.gpusnap.service.platform.problem.ApiException when the snapshot or its process changed since the decision */
    @Transactional(propagation = Propagation.MANDATORY)
    SetOut setOut(Restore restore, Decision.Step step) {
        Snapshot snapshot = snapshots.lockReady(Objects.requireNonNull(step.snapshotId()));
        NodeId node = Objects.requireNonNull(step.nodeId());
        OperationSpec.ContainerTarget container =
                restore.wish().map(KeptWish::container).orElse(null);
        Operation operation = operations.queue(new NewOperation(
                node,
                new OperationSpec.Thaw(
                        snapshot.id(),
                        snapshot.engine(),
                        snapshot.manifestDigest().orElseThrow(),
                        container == null ? gpus(snapshot, node) : Map.of(),
                        probe(restore),
                        sources.of(snapshot.id(), node),
                        container),
                snapshot.engine(),
                suspendedProcess(snapshot),
                Optional.of(restore.id())));
        restore.tries(step, operation.id(), clock.now());
        return new SetOut(restores.saveAndFlush(restore), snapshot, operation);
    }

    /** A process that waits in its snapshot keeps its GPUs, and a container has those that it was given. */
    private Map<String, String> gpus(Snapshot snapshot, NodeId node) {
        List<Needs.UsedGpu> used = snapshot.needs().map(Needs::gpus).orElse(List.of());
        return snapshot.engine() == Engine.SUSPEND
                ? Map.of()
                : nodes.find(node)
                        .map(found -> GpuChoice.of(used, found.inventory().gpus()))
                        .orElse(Map.of());
    }

    /** What the version's processes are asked after a thaw. */
    private OperationSpec.@Nullable AnswerProbe probe(Restore restore) {
        return versions.find(restore.modelName(), restore.versionName())
                .flatMap(ModelVersion::oracle)
                .map(oracle -> new OperationSpec.AnswerProbe(
                        oracle.port(),
                        oracle.path(),
                        oracle.body(),
                        oracle.contentType(),
                        Objects.requireNonNullElse(oracle.expectedStatus(), OK),
                        oracle.expectedTokens(),
                        Objects.requireNonNullElse(oracle.timeoutSeconds(), PATIENCE_SECONDS)))
                .orElse(null);
    }

    /** A resume changes a living process, so no other operation may work on it meanwhile. */
    private static Optional<WorkloadId> suspendedProcess(Snapshot snapshot) {
        return snapshot.engine() == Engine.SUSPEND ? snapshot.workloadId() : Optional.empty();
    }
}
