package io.gpusnap.service.operation;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.json.JsonColumns;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.AfterCommit;
import io.gpusnap.service.platform.transaction.Constraints;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.data.domain.Sort;
import org.springframework.data.jpa.domain.Specification;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Operations as callers and other features see them. */
@Service
public class Operations {
    private final OperationRepository operations;
    private final OperationSettlement settlement;
    private final ClaimSignals signals;
    private final ClaimNotices notices;
    private final DatabaseClock clock;
    private final JsonColumns json;

    Operations(
            OperationRepository operations,
            OperationSettlement settlement,
            ClaimSignals signals,
            ClaimNotices notices,
            DatabaseClock clock,
            JsonColumns json) {
        this.operations = operations;
        this.settlement = settlement;
        this.signals = signals;
        this.notices = notices;
        this.clock = clock;
        this.json = json;
    }

    /**
     * Which operations to list; null filters nothing.
     *
     * @param snapshot the snapshot that they are about
     */
    public record Filter(
            @Nullable OperationState state,
            @Nullable OperationKind kind,
            @Nullable NodeId node,
            @Nullable SnapshotId snapshot) {}

    /**
     * Queues an operation in the caller's transaction; its node hears of it after the commit.
     *
     * @throws ApiException WORKLOAD_BUSY if another operation works on the same process
     */
    @Transactional(propagation = Propagation.MANDATORY)
    public Operation queue(NewOperation asked) {
        Operation operation = new Operation(OperationId.next(), asked, json.write(asked.spec()), clock.now());
        try {
            operation = operations.saveAndFlush(operation);
        } catch (DataIntegrityViolationException e) {
            if (Constraints.isViolated(e, "operation_one_at_a_time_per_workload")) {
                throw new ApiException(ErrorCode.WORKLOAD_BUSY, "Another operation works on this workload.");
            }
            throw e;
        }
        notices.queued(asked.node());
        AfterCommit.run(() -> signals.signal(asked.node()));
        return operation;
    }

    /**
     * Reads an operation.
     *
     * @throws ApiException OPERATION_NOT_FOUND
     */
    @Transactional(readOnly = true)
    public Operation get(OperationId id) {
        return operations.findById(id.value()).orElseThrow(() -> notFound(id));
    }

    /** The latest operation of each restore. */
    @Transactional(readOnly = true)
    public Map<RestoreId, Operation> ofRestores(Collection<RestoreId> restores) {
        return operations
                .findByRestoreIdIn(restores.stream().map(RestoreId::value).toList())
                .stream()
                .collect(Collectors.toMap(
                        operation -> operation.restoreId().orElseThrow(),
                        operation -> operation,
                        (one, other) -> one.id().toString().compareTo(other.id().toString()) > 0 ? one : other));
    }

    /** What a SWITCH was asked to do. */
    public OperationSpec.Switch switchOf(Operation operation) {
        return json.read(operation.spec(), OperationSpec.Switch.class);
    }

    /** What a TRANSFER was asked to do. */
    public TierSpec.Transfer transferOf(Operation operation) {
        return json.read(operation.spec(), TierSpec.Transfer.class);
    }

    /** What a SWEEP was asked to do. */
    public TierSpec.Sweep sweepOf(Operation operation) {
        return json.read(operation.spec(), TierSpec.Sweep.class);
    }

    /** Newest first. */
    @Transactional(readOnly = true)
    public Page<Operation> list(Filter filter, PageQuery query) {
        Specification<Operation> where = equal("state", filter.state())
                .and(equal("kind", filter.kind()))
                .and(equal(
                        "nodeId", filter.node() == null ? null : filter.node().value()))
                .and(equal(
                        "snapshotId",
                        filter.snapshot() == null ? null : filter.snapshot().value()));
        Specification<Operation> page = query.afterId()
                .map(after -> where.and((root, criteria, build) -> build.lessThan(root.get("id"), after)))
                .orElse(where);
        return Page.of(
                query,
                operations.findBy(
                        page,
                        found -> found.sortBy(Sort.by(Sort.Direction.DESC, "id"))
                                .limit(query.size() + 1)
                                .all()),
                operation -> operation.id().toString());
    }

    /** Whether one of these kinds is queued or running for the snapshot. */
    @Transactional(readOnly = true)
    public boolean anyActive(SnapshotId snapshot, Set<OperationKind> kinds) {
        return operations.existsBySnapshotIdAndKindInAndStateIn(snapshot.value(), kinds, OperationState.active());
    }

    /**
     * A pending operation is cancelled at once; of a running one the daemon is told with its next report. Asking again
     * changes nothing.
     *
     * @throws ApiException OPERATION_FINISHED if it ended another way, CONFLICT for a deletion
     */
    @Transactional
    public Operation cancel(OperationId id) {
        Operation operation = operations.lock(id.value()).orElseThrow(() -> notFound(id));
        if (operation.state() == OperationState.CANCELLED || operation.cancelRequested()) {
            return operation;
        }
        if (operation.state().isFinal()) {
            throw new ApiException(ErrorCode.OPERATION_FINISHED, "The operation is " + operation.state() + " already.");
        }
        if (operation.kind() == OperationKind.DELETE) {
            throw new ApiException(ErrorCode.CONFLICT, "A deletion cannot be cancelled.");
        }
        operation.requestCancel(clock.now());
        if (operation.state() == OperationState.CANCELLED) {
            settlement.cancelledBeforeStart(operation);
        }
        return operations.saveAndFlush(operation);
    }

    static ApiException notFound(OperationId id) {
        return new ApiException(ErrorCode.OPERATION_NOT_FOUND, "No operation has the id " + id + ".");
    }

    private static Specification<Operation> equal(String attribute, @Nullable Object value) {
        return (root, criteria, build) ->
                value == null ? build.conjunction() : build.equal(root.get(attribute), Objects.requireNonNull(value));
    }
}
