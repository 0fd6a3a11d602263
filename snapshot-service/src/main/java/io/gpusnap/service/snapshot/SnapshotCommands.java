package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.node.WorkloadReport;
import io.gpusnap.service.operation.AfterSave;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.NewOperation;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.operation.OperationSpec;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.operation.SuspendDepth;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.Violation;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.version.ModelVersion;
import io.gpusnap.service.version.ModelVersions;
import io.gpusnap.service.workload.Workload;
import io.gpusnap.service.workload.WorkloadState;
import io.gpusnap.service.workload.Workloads;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** What callers ask to be done with snapshots: each is checked here and becomes an operation for a node. */
@Service
public class SnapshotCommands {
    /** What needs a snapshot while it lasts. */
    static final Set<OperationKind> USES = Set.of(
            OperationKind.THAW,
            OperationKind.SWITCH,
            OperationKind.VERIFY,
            OperationKind.TRANSFER,
            OperationKind.EVICT);

    /** Daemons that have it verify also what only a shared store has. */
    private static final String VERIFY_ANYWHERE = "verify";

    private final Snapshots snapshots;
    private final SnapshotRepository repository;
    private final ModelVersions versions;
    private final Workloads workloads;
    private final Nodes nodes;
    private final Operations operations;
    private final Deletion deletion;
    private final CopySources copies;
    private final DatabaseClock clock;

    SnapshotCommands(
            Snapshots snapshots,
            SnapshotRepository repository,
            ModelVersions versions,
            Workloads workloads,
            Nodes nodes,
            Operations operations,
            Deletion deletion,
            CopySources copies,
            DatabaseClock clock) {
        this.snapshots = snapshots;
        this.repository = repository;
        this.versions = versions;
        this.workloads = workloads;
        this.nodes = nodes;
        this.operations = operations;
        this.deletion = deletion;
        this.copies = copies;
        this.clock = clock;
    }

    /** A snapshot and what was queued for it. */
    public record Queued(Snapshot snapshot, Operation operation) {}

    /**
     * Queues a SAVE, unless it is known already that it would be refused.
     *
     * @param suspendDepth for engine suspend only
     * @param quiesceTimeoutSeconds so long the process may take to come to rest; null: as its daemon says
     * @throws ApiException INVALID_REQUEST, VERSION_NOT_FOUND, WORKLOAD_NOT_FOUND, WORKLOAD_NOT_RUNNING, a code that the daemon reported as
     *     refusal, WORKLOAD_BUSY, NODE_SILENT, NODE_UNSCHEDULABLE, CAPABILITY_MISSING
     */
    @Transactional
    public Queued save(
            String model,
            String version,
            WorkloadId workloadId,
            Engine engine,
            AfterSave afterSave,
            @Nullable SuspendDepth suspendDepth,
            @Nullable Integer quiesceTimeoutSeconds) {
        if (suspendDepth != null && engine != Engine.SUSPEND) {
            String detail = "is for engine suspend only";
            throw new ApiException(
                    ErrorCode.INVALID_REQUEST,
                    "suspendDepth " + detail + ".",
                    List.of(new Violation("/suspendDepth", detail)));
        }
        ModelVersion of = versions.get(model, version);
        Workload workload = workloads.get(workloadId);
        nodes.get(workload.nodeId()).whyNot(engine.wireName()).ifPresent(SnapshotCommands::refuse);
        requireSavable(workload);
        SnapshotId id = SnapshotId.next();
        Snapshot snapshot = repository.saveAndFlush(new Snapshot(id, of, workload, engine, afterSave, clock.now()));
        Operation operation = operations.queue(new NewOperation(
                workload.nodeId(),
                new OperationSpec.Save(
                        id,
                        engine,
                        new OperationSpec.ProcessRef(workload.pid(), workload.startTimeTicks(), workload.name()),
                        afterSave,
                        of.facts(),
                        suspendDepth,
                        quiesceTimeoutSeconds),
                engine,
                Optional.of(workloadId),
                Optional.empty()));
        return new Queued(snapshot, operation);
    }

    /**
     * Queues a VERIFY on a node that holds the snapshot; where none does, on one that reaches a shared store that does.
     *
     * @throws ApiException SNAPSHOT_QUARANTINED, SNAPSHOT_NOT_READY, NO_NODE, NODE_LOST
     */
    @Transactional
    public Operation verify(SnapshotId id) {
        Snapshot snapshot = snapshots.lockReady(id);
        List<NodeId> holders = snapshots.holders(id);
        NodeId holder = Stream.concat(
                        holders.stream().filter(node -> nodes.get(node).state() != NodeState.LOST),
                        copies.readers(id).stream()
                                .filter(node ->
                                        nodes.get(node).whyNot(VERIFY_ANYWHERE).isEmpty()))
                .findFirst()
                .or(() -> holders.stream().findFirst())
                .orElseThrow(() -> new ApiException(
                        ErrorCode.NO_NODE,
                        "No node holds snapshot " + id + ", and none that can verify it reaches a store that does."));
        nodes.requireNotLost(holder);
        return operations.queue(new NewOperation(
                holder,
                new OperationSpec.Verify(id, snapshot.manifestDigest().orElse(null)),
                snapshot.engine(),
                Optional.empty(),
                Optional.empty()));
    }

    /**
     * Queues a DELETE on every node that holds the snapshot, and returns the first; no restore can begin from here on. Empty when
     * only nodes have it that are lost: it is DELETED then, and they are told should they come back. Where a deletion has failed, it is
     * tried again at once.
     *
     * @throws ApiException IN_USE while a restore, a move, a verification or a suspended process needs it, CONFLICT in a state that cannot be deleted
     */
    @Transactional
    public Optional<Operation> delete(SnapshotId id, IfMatch ifMatch) {
        Snapshot snapshot = snapshots.lock(id);
        ifMatch.check(snapshot.rowVersion());
        switch (snapshot.state()) {
            case READY, FAILED, QUARANTINED -> snapshot.beginDelete(clock.now());
            case CREATING ->
                throw new ApiException(ErrorCode.CONFLICT, "The snapshot is being made; cancel its operation first.");
            case DELETING -> {
                if (operations.anyActive(id, Set.of(OperationKind.DELETE))) {
                    throw new ApiException(ErrorCode.CONFLICT, "The snapshot is being deleted already.");
                }
            }
            case DELETED -> throw new ApiException(ErrorCode.CONFLICT, "The snapshot is DELETED already.");
        }
        if (operations.anyActive(id, USES)) {
            throw new ApiException(
                    ErrorCode.IN_USE, "A restore, a switch, a verification or a move works on the snapshot.");
        }
        requireNobodyWaitsFor(snapshot);
        repository.saveAndFlush(snapshot);
        Optional<Operation> first = deletion.begin(snapshot, clock.now());
        repository.saveAndFlush(snapshot);
        return first;
    }

    /** Without its snapshot a suspended process could neither go on nor be told apart from a hung one. */
    private void requireNobodyWaitsFor(Snapshot snapshot) {
        snapshot.workloadId()
                .flatMap(workloads::find)
                .filter(workload -> workload.state() == WorkloadState.SUSPENDED
                        && snapshot.id().equals(workload.suspendedSnapshotId()))
                .ifPresent(workload -> {
                    throw new ApiException(
                            ErrorCode.IN_USE,
                            "Workload " + workload.name() + ", process " + workload.pid()
                                    + ", is suspended in this snapshot; restore it or end the process first.");
                });
    }

    private static void requireSavable(Workload workload) {
        if (workload.state() != WorkloadState.RUNNING) {
            throw new ApiException(
                    workload.state().mayExist() ? ErrorCode.WORKLOAD_NOT_RUNNING : ErrorCode.WORKLOAD_LOST,
                    "Workload " + workload.name() + " is " + workload.state() + ".");
        }
        if (!workload.refusals().isEmpty()) {
            String all = workload.refusals().stream()
                    .map(refusal -> refusal.code() + ": " + refusal.detail())
                    .collect(Collectors.joining("; "));
            throw new ApiException(codeOf(workload.refusals().getFirst()), all);
        }
    }

    private static ErrorCode codeOf(WorkloadReport.Refusal refusal) {
        return Arrays.stream(ErrorCode.values())
                .filter(code -> code.name().equals(refusal.code()))
                .findFirst()
                .orElse(ErrorCode.WORKLOAD_UNSUPPORTED);
    }

    private static void refuse(ApiException why) {
        throw why;
    }
}
