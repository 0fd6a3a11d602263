package io.gpusnap.service.operation;

import io.gpusnap.service.platform.transaction.DatabaseClock;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Ends operations: the owner's rows, the operation and the meters, in one transaction. */
@Component
class OperationSettlement {
    private static final Logger LOG = LoggerFactory.getLogger(OperationSettlement.class);

    // Looked up late: the owners themselves queue operations.
    private final ObjectProvider<OperationOutcomes> owners;
    private final ObjectProvider<DamageListener> damage;
    private final DatabaseClock clock;
    private final OperationMetrics metrics;

    OperationSettlement(
            ObjectProvider<OperationOutcomes> owners,
            ObjectProvider<DamageListener> damage,
            DatabaseClock clock,
            OperationMetrics metrics) {
        this.owners = owners;
        this.damage = damage;
        this.clock = clock;
        this.metrics = metrics;
    }

    /** Ends the operation with the outcome that its owner lets stand, and returns that. */
    @Transactional(propagation = Propagation.MANDATORY)
    Outcome settle(Operation operation, Completion completion) {
        damage.forEach(listener -> completion.damaged().stream()
                .sorted(Comparator.comparing(copy -> copy.snapshotId().value()))
                .forEach(copy -> listener.found(operation, copy)));
        return settle(operation, completion.outcome(), completion.stages(), completion.workloadLost());
    }

    /** The same of an operation whose daemon says nothing any more. */
    @Transactional(propagation = Propagation.MANDATORY)
    Outcome settle(Operation operation, Outcome reported, List<StageReport> stages, boolean workloadLost) {
        Outcome standing = ownerOf(operation.kind()).settle(operation, reported, workloadLost);
        operation.finish(standing, stages, clock.now());
        LOG.info("operation {} {} {}", operation.id(), operation.kind(), operation.state());
        metrics.ended(operation);
        return standing;
    }

    /** Tells the owner of an operation that a caller cancelled before it began. */
    @Transactional(propagation = Propagation.MANDATORY)
    void cancelledBeforeStart(Operation operation) {
        ownerOf(operation.kind()).settle(operation, new Outcome.Cancelled(), false);
        metrics.ended(operation);
    }

    private OperationOutcomes ownerOf(OperationKind kind) {
        Map<OperationKind, OperationOutcomes> byKind = new EnumMap<>(OperationKind.class);
        owners.forEach(owner -> owner.kinds().forEach(owned -> byKind.put(owned, owner)));
        OperationOutcomes owner = byKind.get(kind);
        if (owner == null) {
            throw new IllegalStateException("no feature owns operations of kind " + kind);
        }
        return owner;
    }
}
