package io.gpusnap.service.operation;

import io.gpusnap.service.node.NodeAgents;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.security.NodeCaller;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.springframework.stereotype.Service;
import org.springframework.transaction.support.TransactionTemplate;

/** The daemons' side of operations: claim, progress, completion. */
@Service
public class OperationAgents {
    private final OperationQueue queue;
    private final OperationRepository operations;
    private final OperationSettlement settlement;
    private final ClaimSignals signals;
    private final OperationSettings settings;
    private final NodeAgents sessions;
    private final TransactionTemplate transaction;

    OperationAgents(
            OperationQueue queue,
            OperationRepository operations,
            OperationSettlement settlement,
            ClaimSignals signals,
            OperationSettings settings,
            NodeAgents sessions,
            TransactionTemplate transaction) {
        this.queue = queue;
        this.operations = operations;
        this.settlement = settlement;
        this.signals = signals;
        this.settings = settings;
        this.sessions = sessions;
        this.transaction = transaction;
    }

    /** What a progress report brings back. */
    public record Lease(boolean cancelRequested, Instant until) {}

    /**
     * Waits for work. While it waits it holds no database connection, and its thread is virtual.
     *
     * @param kinds what the daemon has room for
     * @return empty when the time ran out
     * @throws ApiException STALE_SESSION if the node registered again meanwhile
     */
    public Optional<Task> claim(NodeCaller caller, Duration wait, Set<OperationKind> kinds)
            throws InterruptedException {
        long deadline = System.nanoTime() + wait.toNanos();
        while (true) {
            CountDownLatch signal = signals.next(caller.nodeId());
            Optional<Task> task = queue.claim(caller, kinds);
            if (task.isPresent()) {
                return task;
            }
            long left = deadline - System.nanoTime();
            if (left <= 0 || signals.isClosing()) {
                sessions.requireCurrent(caller);
                return Optional.empty();
            }
            signal.await(Math.min(left, settings.claimRecheck().toNanos()), TimeUnit.NANOSECONDS);
        }
    }

    /**
     * Keeps the stages and renews the lease.
     *
     * @throws ApiException STALE_EPOCH or OPERATION_FINISHED if the operation is not the caller's any more
     */
    public Lease progress(NodeCaller caller, OperationId id, long epoch, List<StageReport> stages) {
        return queue.progress(caller.nodeId(), id, epoch, stages)
                .map(renewal -> new Lease(renewal.cancelRequested(), renewal.leaseUntil()))
                .orElseThrow(() -> {
                    Operation operation = own(caller, operations.findById(id.value()), id);
                    requireEpoch(operation, epoch);
                    return new ApiException(
                            ErrorCode.OPERATION_FINISHED, "The operation is " + operation.state() + " already.");
                });
    }

    /**
     * Ends an operation as its daemon says. Saying the same again changes nothing.
     *
     * @throws ApiException STALE_EPOCH or OPERATION_FINISHED; MANIFEST_INVALID when the snapshot's manifest is not
     *     acceptable, in which case the operation and the snapshot have FAILED
     */
    public void complete(NodeCaller caller, OperationId id, CompletionReader completion) {
        Optional<Failure> refused = transaction.execute(status -> settle(caller, id, completion));
        if (refused != null && refused.isPresent()) {
            throw new ApiException(refused.get().code(), refused.get().detail());
        }
    }

    /** Reads a completion for what kind of operation it turns out to be about. */
    @FunctionalInterface
    public interface CompletionReader {
        Completion read(OperationKind kind);
    }

    private Optional<Failure> settle(NodeCaller caller, OperationId id, CompletionReader reader) {
        Operation operation = own(caller, operations.lock(id.value()), id);
        Completion completion = reader.read(operation.kind());
        requireEpoch(operation, completion.epoch());
        if (operation.state().isFinal()) {
            if (operation.state() == stateOf(completion.outcome())) {
                return Optional.empty();
            }
            throw new ApiException(ErrorCode.OPERATION_FINISHED, "The operation is " + operation.state() + " already.");
        }
        Outcome standing = settlement.settle(operation, completion);
        operations.saveAndFlush(operation);
        return standing instanceof Outcome.Failed failed && !standing.equals(completion.outcome())
                ? Optional.of(failed.failure())
                : Optional.empty();
    }

    private static OperationState stateOf(Outcome outcome) {
        return switch (outcome) {
            case Outcome.Saved saved -> OperationState.SUCCEEDED;
            case Outcome.Thawed thawed -> OperationState.SUCCEEDED;
            case Outcome.Switched switched -> OperationState.SUCCEEDED;
            case Outcome.Done done -> OperationState.SUCCEEDED;
            case Outcome.OfTier work -> OperationState.SUCCEEDED;
            case Outcome.Failed failed -> OperationState.FAILED;
            case Outcome.SwitchedInPart part -> OperationState.FAILED;
            case Outcome.Cancelled cancelled -> OperationState.CANCELLED;
        };
    }

    /** Another node's operation is, for this caller, none. */
    private static Operation own(NodeCaller caller, Optional<Operation> found, OperationId id) {
        return found.filter(operation -> operation.nodeId().equals(caller.nodeId()))
                .orElseThrow(() -> Operations.notFound(id));
    }

    private static void requireEpoch(Operation operation, long epoch) {
        if (operation.epoch() != epoch) {
            throw new ApiException(
                    ErrorCode.STALE_EPOCH,
                    "Epoch " + epoch + " is over, the operation is at " + operation.epoch() + ".");
        }
    }
}
