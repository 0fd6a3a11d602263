package io.gpusnap.service.switchover;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.NewOperation;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationSpec;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.operation.SwitchPolicy;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.restore.Restores;
import io.gpusnap.service.snapshot.SwitchSnapshots;
import io.gpusnap.service.version.ModelVersion;
import io.gpusnap.service.version.ModelVersions;
import io.gpusnap.service.workload.Workload;
import io.gpusnap.service.workload.Workloads;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Switches: who is resumed, who may have to make room, and the operation that does it. Switches of a node queue in order. */
@Service
public class Switches {
    private final Nodes nodes;
    private final Targets targets;
    private final Candidates candidates;
    private final Workloads workloads;
    private final ModelVersions versions;
    private final SwitchSnapshots snapshots;
    private final Restores restores;
    private final Operations operations;

    Switches(
            Nodes nodes,
            Targets targets,
            Candidates candidates,
            Workloads workloads,
            ModelVersions versions,
            SwitchSnapshots snapshots,
            Restores restores,
            Operations operations) {
        this.nodes = nodes;
        this.targets = targets;
        this.candidates = candidates;
        this.workloads = workloads;
        this.versions = versions;
        this.snapshots = snapshots;
        this.restores = restores;
        this.operations = operations;
    }

    /** Who is to be resumed. */
    public sealed interface Wish {}

    /** The process that is frozen as this snapshot. */
    public record FrozenAs(SnapshotId snapshot) implements Wish {}

    /** The workload of this name. */
    public record Named(String workload) implements Wish {}

    /** @param from names of those who may have to make room; null for all that run on the node */
    public record How(@Nullable List<String> from, SwitchPolicy policy, boolean preempt) {}

    /** A process that may have to make room, and what it is then frozen as. */
    public record MakesRoom(WorkloadId workloadId, String name, SnapshotId snapshotId) {}

    /** What was queued. */
    public record Queued(Operation operation, List<MakesRoom> candidates) {}

    /**
     * Queues a SWITCH. Whether there is room, and who makes it, the daemon decides when its turn comes.
     *
     * @param gpu UUID or ordinal
     * @throws ApiException NODE_NOT_FOUND, GPU_NOT_FOUND, NODE_SILENT, NODE_UNSCHEDULABLE, CAPABILITY_MISSING, WORKLOAD_BUSY,
     *     CONFLICT when the version of a named candidate is not known, and as {@link Targets} finds
     */
    @Transactional
    public Queued create(NodeId nodeId, String gpu, Wish wish, How how) {
        Node node = nodes.get(nodeId);
        Inventory.Gpu device = gpuOf(node, gpu);
        node.whyNot(Engine.SUSPEND.wireName()).ifPresent(Switches::refuse);
        Target target = switch (wish) {
            case FrozenAs frozen -> targets.of(node, frozen.snapshot());
            case Named named -> targets.of(node, named.workload());
        };
        List<MakesRoom> leaving = new ArrayList<>();
        List<OperationSpec.SwitchCandidate> tasks = new ArrayList<>();
        for (Candidates.Candidate candidate : chosen(node, target, how.from())) {
            Workload workload = workloads.get(candidate.workload());
            ModelVersion version = version(candidate);
            SnapshotId snapshot = snapshots.prepare(version, workload);
            leaving.add(new MakesRoom(workload.id(), workload.name(), snapshot));
            tasks.add(new OperationSpec.SwitchCandidate(
                    snapshot,
                    new OperationSpec.ProcessRef(workload.pid(), workload.startTimeTicks(), workload.name()),
                    version.facts()));
        }
        RestoreId restore = restores.bySwitch(
                target.snapshot(),
                nodeId,
                "A switch resumes " + target.workload().name() + " on GPU " + device.ordinal() + " of node "
                        + node.name() + ".");
        Operation operation = operations.queue(new NewOperation(
                nodeId,
                new OperationSpec.Switch(
                        target.snapshot(),
                        target.manifestDigest().orElse(null),
                        device.uuid(),
                        how.policy(),
                        List.copyOf(tasks),
                        how.preempt()),
                Engine.SUSPEND,
                Optional.of(target.workload().id()),
                Optional.of(restore)));
        return new Queued(operation, List.copyOf(leaving));
    }

    private static Inventory.Gpu gpuOf(Node node, String gpu) {
        return node.inventory().gpus().stream()
                .filter(device -> device.uuid().equals(gpu)
                        || Integer.toString(device.ordinal()).equals(gpu))
                .findFirst()
                .orElseThrow(() ->
                        new ApiException(ErrorCode.GPU_NOT_FOUND, "Node " + node.name() + " has no GPU " + gpu + "."));
    }

    /** Of all that run only those whose model version is known can be kept; whoever is named must be one of them. */
    private List<Candidates.Candidate> chosen(Node node, Target target, @Nullable List<String> from) {
        List<Candidates.Candidate> all =
                candidates.of(node.id(), target.workload().id());
        if (from == null) {
            return all.stream().filter(one -> one.version() != null).toList();
        }
        for (String name : from) {
            if (all.stream().noneMatch(one -> one.name().equals(name))) {
                throw new ApiException(
                        ErrorCode.WORKLOAD_NOT_FOUND,
                        "No workload that runs on node " + node.name() + " is named " + name + ".");
            }
        }
        return all.stream().filter(one -> from.contains(one.name())).toList();
    }

    private ModelVersion version(Candidates.Candidate candidate) {
        if (candidate.model() == null || candidate.version() == null) {
            throw new ApiException(
                    ErrorCode.CONFLICT,
                    "Of which model version " + candidate.name()
                            + " is, is not known: take a first snapshot of it, which names that.");
        }
        return versions.get(candidate.model(), candidate.version());
    }

    private static void refuse(ApiException why) {
        throw why;
    }
}
