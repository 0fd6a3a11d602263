package io.gpusnap.service.restore;

import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationState;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.restore.gate.Constraints;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.Snapshots;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.springframework.data.domain.Sort;
import org.springframework.data.jpa.domain.Specification;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Isolation;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Restores: decide, record why, set out on the first way back. */
@Service
public class Restores {
    private final RestoreRepository restores;
    private final Snapshots snapshots;
    private final Nodes nodes;
    private final OrderTargets targets;
    private final NamedSnapshots named;
    private final Decider decider;
    private final Ways ways;
    private final ColdStarts coldStarts;
    private final Operations operations;
    private final RestoreMetrics metrics;
    private final DatabaseClock clock;

    Restores(
            RestoreRepository restores,
            Snapshots snapshots,
            Nodes nodes,
            OrderTargets targets,
            NamedSnapshots named,
            Decider decider,
            Ways ways,
            ColdStarts coldStarts,
            Operations operations,
            RestoreMetrics metrics,
            DatabaseClock clock) {
        this.restores = restores;
        this.snapshots = snapshots;
        this.nodes = nodes;
        this.targets = targets;
        this.named = named;
        this.decider = decider;
        this.ways = ways;
        this.coldStarts = coldStarts;
        this.operations = operations;
        this.metrics = metrics;
        this.clock = clock;
    }

    /** A restore with its snapshot and its latest operation; neither when there was nothing to try. */
    public record View(Restore restore, Optional<Snapshot> snapshot, Optional<Operation> operation) {
        /** How far it is: as far as its latest operation. */
        public RestoreState state() {
            if (restore.coldStart().isPresent()) {
                return RestoreState.COLD;
            }
            return switch (operation.map(Operation::state).orElse(OperationState.PENDING)) {
                case PENDING -> RestoreState.PENDING;
                case RUNNING -> RestoreState.RUNNING;
                case SUCCEEDED -> RestoreState.SUCCEEDED;
                case FAILED -> RestoreState.FAILED;
                case CANCELLED -> RestoreState.CANCELLED;
            };
        }
    }

    /** What a restore would be. */
    public record Preview(String model, String version, Decision decision) {}

    /**
     * Decides, keeps why, and queues the THAW of the first way back; or ends cold when there is none.
     *
     * @throws ApiException SNAPSHOT_NOT_FOUND, VERSION_NOT_FOUND, ALIAS_NOT_FOUND, NODE_NOT_FOUND; for an order that must
     *     not be cold also CONFLICT, SNAPSHOT_NOT_READY, SNAPSHOT_QUARANTINED, NO_NODE, WORKLOAD_LOST, WORKLOAD_BUSY or
     *     what a gate says
     */
    @Transactional
    public View create(Order order) {
        OrderTargets.Found found = targets.of(order, false);
        Decider.Plan plan = held(order, plan(order, found));
        Decision decision = decision(order, found, plan);
        Restore restore = restores.saveAndFlush(new Restore(
                RestoreId.next(),
                found.target(),
                new KeptWish(found.only().orElse(null), order.constraints(), order.cold(), order.container()),
                decision,
                clock.now()));
        if (plan.steps().isEmpty()) {
            ApiException why = whyNone(found, plan);
            metrics.decided(Decision.Way.COLD);
            return new View(coldStarts.end(restore, why.code(), why.detail()), Optional.empty(), Optional.empty());
        }
        metrics.decided(plan.steps().getFirst().way());
        Ways.SetOut setOut = ways.setOut(restore, plan.steps().getFirst());
        return new View(setOut.restore(), Optional.of(setOut.snapshot()), Optional.of(setOut.operation()));
    }

    /**
     * Does a restore once more, on another node, and in the end cold if nothing else is left: of the alias that was asked
     * for, which may stand for another version by now, or of the same version.
     *
     * @throws ApiException RESTORE_NOT_FOUND, and as for a new one
     */
    @Transactional
    public View again(RestoreId id, NodeId butNot) {
        Restore lost = get(id).restore();
        Constraints before = lost.wish().map(KeptWish::constraints).orElse(Constraints.NONE);
        return create(new Order(
                targets.again(lost),
                before.butNot(butNot),
                lost.replicaKey().orElse(null),
                true,
                lost.recoveryPriority().orElse(null)));
    }

    /** The same without doing or counting anything. */
    @Transactional
    public Preview preview(Order order) {
        OrderTargets.Found found = targets.of(order, true);
        Decider.Plan plan = plan(order, found);
        return new Preview(found.target().model(), found.target().version(), decision(order, found, plan));
    }

    private Decider.Plan plan(Order order, OrderTargets.Found found) {
        List<NodeId> only = order.constraints().nodeIds();
        if (only != null) {
            only.forEach(nodes::get);
        }
        if (!order.cold()) {
            found.only().ifPresent(named::requireUsable);
        }
        Decider.Plan plan = decider.decide(new Decider.Question(
                found.target().model(),
                found.target().version(),
                found.only(),
                order.constraints(),
                Set.of(),
                order.container() != null));
        if (plan.steps().isEmpty() && !order.cold()) {
            throw whyNone(found, plan);
        }
        return plan;
    }

    /** Begins with the first way that nobody else took since. Where none is left, the first one says why it cannot be. */
    private Decider.Plan held(Order order, Decider.Plan plan) {
        List<Decision.Step> left =
                plan.steps().stream().dropWhile(step -> !ways.canSetOut(step)).toList();
        return left.isEmpty() && !order.cold() ? plan : new Decider.Plan(left, plan.rejected());
    }

    private static Decision decision(Order order, OrderTargets.Found found, Decider.Plan plan) {
        List<String> reasons = new ArrayList<>();
        List<Decision.Step> chain = new ArrayList<>(plan.steps());
        if (plan.steps().isEmpty()) {
            reasons.add(whyNone(found, plan).detail());
        } else {
            reasons.addAll(found.reasons());
            reasons.add(plan.steps().getFirst().reason());
        }
        if (order.cold()) {
            chain.add(new Decision.Step(
                    Decision.Way.COLD,
                    null,
                    null,
                    null,
                    null,
                    null,
                    "When nothing else leads back, start it yourself."));
        }
        return new Decision(List.copyOf(reasons), List.copyOf(chain), plan.rejected());
    }

    private static ApiException whyNone(OrderTargets.Found found, Decider.Plan plan) {
        List<Decision.Rejected> rejected = plan.rejected();
        if (rejected.size() == 1) {
            return new ApiException(
                    rejected.getFirst().code(), rejected.getFirst().reason());
        }
        if (!rejected.isEmpty()) {
            return new ApiException(
                    ErrorCode.NO_NODE,
                    rejected.stream().map(Decision.Rejected::reason).distinct().collect(Collectors.joining(" ")));
        }
        return found.only()
                .map(snapshot -> new ApiException(
                        ErrorCode.NO_NODE, "No node that it may come back on holds snapshot " + snapshot + "."))
                .orElseGet(() -> new ApiException(
                        ErrorCode.SNAPSHOT_NOT_READY,
                        "Version " + found.target().version() + " of "
                                + found.target().model() + " has no READY snapshot that can come back."));
    }

    /**
     * Reads a restore. As of one moment: its state is its operation's, and what came of it is its own row, and a thaw that
     * ends in between must not be seen as succeeded without its process.
     *
     * @throws ApiException RESTORE_NOT_FOUND
     */
    @Transactional(readOnly = true, isolation = Isolation.REPEATABLE_READ)
    public View get(RestoreId id) {
        Restore restore = restores.findById(id.value())
                .orElseThrow(() -> new ApiException(ErrorCode.RESTORE_NOT_FOUND, "No restore has the id " + id + "."));
        return views(List.of(restore)).getFirst();
    }

    /** Newest first, as of one moment. */
    @Transactional(readOnly = true, isolation = Isolation.REPEATABLE_READ)
    public Page<View> list(PageQuery query) {
        Specification<Restore> after = query.afterId()
                .<Specification<Restore>>map(id -> (root, criteria, build) -> build.lessThan(root.get("id"), id))
                .orElse((root, criteria, build) -> build.conjunction());
        List<Restore> rows = restores.findBy(
                after,
                found -> found.sortBy(Sort.by(Sort.Direction.DESC, "id"))
                        .limit(query.size() + 1)
                        .all());
        return Page.of(query, views(rows), view -> view.restore().id().toString());
    }

    /** A restore that a switch does; it decides and queues itself. */
    @Transactional(propagation = Propagation.MANDATORY)
    public RestoreId bySwitch(SnapshotId snapshotId, NodeId node, String reason) {
        Snapshot snapshot = snapshots.get(snapshotId);
        Restore restore = new Restore(
                RestoreId.next(),
                new Restore.Target(snapshot.modelName(), snapshot.versionName(), null, null, null, null),
                null,
                new Decision(List.of(reason), List.of(), List.of()),
                clock.now());
        restore.goes(snapshotId, node);
        return restores.saveAndFlush(restore).id();
    }

    /**
     * The process of a suspend snapshot has gone on since it was resumed: what was saved of it fits no more.
     *
     * @throws ApiException CONFLICT
     */
    public void requireNotResumed(Snapshot snapshot) {
        named.requireNotResumed(snapshot);
    }

    private List<View> views(List<Restore> rows) {
        Map<RestoreId, Operation> found =
                operations.ofRestores(rows.stream().map(Restore::id).toList());
        return rows.stream()
                .map(restore -> new View(
                        restore,
                        restore.triedSnapshot().map(snapshots::get),
                        Optional.ofNullable(found.get(restore.id()))))
                .toList();
    }
}
