package io.gpusnap.service.schedule;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.operation.AfterSave;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.SwitchPolicy;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.restore.Order;
import io.gpusnap.service.restore.Restores;
import io.gpusnap.service.restore.gate.Constraints;
import io.gpusnap.service.schedule.core.Decision;
import io.gpusnap.service.schedule.core.Replica;
import io.gpusnap.service.snapshot.SnapshotCommands;
import io.gpusnap.service.switchover.Switches;
import io.gpusnap.service.workload.Workload;
import io.gpusnap.service.workload.Workloads;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/**
 * Turns what was decided into operations. Where one replica leaves for another, both operations are queued at once: a
 * node works on one at a time, in their order, so that the second finds the room that the first has made. On a node with one
 * GPU a suspended one that takes another's place is one SWITCH, and the other one leaves also where both would fit: a slot is one's.
 */
@Component
class PoolActuator {
    private final SnapshotCommands snapshots;
    private final Restores restores;
    private final Switches switches;
    private final Workloads workloads;
    private final Nodes nodes;

    PoolActuator(SnapshotCommands snapshots, Restores restores, Switches switches, Workloads workloads, Nodes nodes) {
        this.snapshots = snapshots;
        this.restores = restores;
        this.switches = switches;
        this.workloads = workloads;
        this.nodes = nodes;
    }

    /**
     * Queues what the action needs; the first is that of who leaves.
     *
     * @throws ApiException when one of them is refused; none of them is queued then
     */
    @Transactional(propagation = Propagation.MANDATORY)
    List<OperationId> queue(Pool pool, Decision.Action action) {
        List<OperationId> queued = new ArrayList<>();
        switch (action) {
            case Decision.Suspend suspend -> queued.add(suspend(pool, suspend.replica()));
            case Decision.Thaw thaw -> {
                thaw.instead().ifPresent(leaves -> queued.add(suspend(pool, leaves)));
                queued.add(restore(new Order(
                        new Order.VersionOf(thaw.model(), version(pool, thaw.model())),
                        Constraints.on(thaw.node()),
                        null,
                        false,
                        null)));
            }
            case Decision.Resume resume -> queued.addAll(resume(pool, resume));
        }
        return List.copyOf(queued);
    }

    private List<OperationId> resume(Pool pool, Decision.Resume resume) {
        SnapshotId frozenAs = Optional.ofNullable(
                        workloads.get(resume.replica().id()).suspendedSnapshotId())
                .orElseThrow(() -> new ApiException(
                        ErrorCode.WORKLOAD_NOT_SUSPENDED,
                        "Workload " + resume.replica().id() + " is not suspended any more."));
        Order order = new Order(new Order.ThatSnapshot(frozenAs), Constraints.on(resume.node()), null, false, null);
        if (resume.instead().isEmpty()) {
            return List.of(restore(order));
        }
        Replica leaves = resume.instead().get();
        Node node = nodes.get(resume.node());
        List<Inventory.Gpu> gpus = node.inventory().gpus();
        if (gpus.size() != 1) {
            OperationId suspended = suspend(pool, leaves);
            return List.of(suspended, restore(order));
        }
        Workload leaving = workloads.get(leaves.id());
        Switches.Queued queued = switches.create(
                node.id(),
                gpus.getFirst().uuid(),
                new Switches.FrozenAs(frozenAs),
                new Switches.How(List.of(leaving.name()), SwitchPolicy.SUSPEND_OTHERS, false));
        return List.of(queued.operation().id());
    }

    private OperationId suspend(Pool pool, Replica replica) {
        return snapshots
                .save(
                        replica.model(),
                        version(pool, replica.model()),
                        replica.id(),
                        Engine.SUSPEND,
                        AfterSave.KEEP_RUNNING,
                        null,
                        null)
                .operation()
                .id();
    }

    private OperationId restore(Order order) {
        return restores.create(order)
                .operation()
                .map(Operation::id)
                .orElseThrow(() -> new IllegalStateException("an order that must not be cold was"));
    }

    private static String version(Pool pool, String model) {
        return pool.models().stream()
                .filter(member -> member.model().equals(model))
                .map(Pool.Member::versionName)
                .findFirst()
                .orElseThrow();
    }
}
