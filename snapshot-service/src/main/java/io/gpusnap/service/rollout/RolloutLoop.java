package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.version.AliasChange;
import io.gpusnap.service.version.AliasMoved;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.EventListener;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Moves rollouts on. Every instance of the service may run it: a rollout is taken in one statement for a lease on database
 * time; and what an instance found out while it was taken counts only if nobody took it after, and the rollout is still as it
 * was then. So an instance that stopped past its lease changes nothing when it goes on.
 */
@Component
class RolloutLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RolloutLoop.class);

    /** A measurement may wait for another service: it must not hold up what else is scheduled, nor pile up. */
    private static final int MOST_TURNS = 16;

    private final ExecutorService turns = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore turnsLeft = new Semaphore(MOST_TURNS);
    private final RolloutStore store;
    private final RolloutRepository repository;
    private final RolloutChanges changes;
    private final Measurements measurements;
    private final RolloutSettings settings;
    private final TransactionTemplate transaction;
    private final DatabaseClock clock;

    RolloutLoop(
            RolloutStore store,
            RolloutRepository repository,
            RolloutChanges changes,
            Measurements measurements,
            RolloutSettings settings,
            TransactionTemplate transaction,
            DatabaseClock clock) {
        this.store = store;
        this.repository = repository;
        this.changes = changes;
        this.measurements = measurements;
        this.settings = settings;
        this.transaction = transaction;
        this.clock = clock;
    }

    @Scheduled(fixedDelayString = "${gpusnap.rollouts.check-interval:1s}")
    void moveOn() {
        while (turnsLeft.tryAcquire()) {
            Optional<RolloutStore.Turn> due = Optional.empty();
            try {
                due = store.claimDue(settings.lease());
            } finally {
                if (due.isEmpty()) {
                    turnsLeft.release();
                }
            }
            if (due.isEmpty()) {
                return;
            }
            RolloutStore.Turn turn = due.get();
            turns.execute(() -> take(turn));
        }
    }

    private void take(RolloutStore.Turn turn) {
        try {
            moveOn(turn);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.warn(
                    "rollout {} could not be moved on; it is tried again after {}",
                    turn.rollout(),
                    settings.lease(),
                    e);
        } finally {
            turnsLeft.release();
        }
    }

    @Override
    public void close() {
        turns.shutdownNow();
    }

    /** One turn of one rollout. */
    void moveOn(RolloutStore.Turn turn) throws InterruptedException {
        Optional<Rollout> taken = repository.findById(turn.rollout().value());
        if (taken.isPresent()) {
            Map<String, Measurement> measured = measure(taken.get(), clock.now());
            transaction.executeWithoutResult(status -> keep(turn, taken.get(), measured));
        }
    }

    private Map<String, Measurement> measure(Rollout rollout, Instant now) throws InterruptedException {
        Map<String, Measurement> measured = new LinkedHashMap<>();
        Optional<AnalysisRun> run =
                rollout.phase() == RolloutPhase.PROGRESSING ? rollout.runningAnalysis() : Optional.empty();
        if (run.isPresent()) {
            List<String> due = run.get().due(now);
            AnalysisSpec spec = Objects.requireNonNull(
                    rollout.steps().get(rollout.stepIndex()).analysis());
            for (AnalysisSpec.Metric metric : spec.metrics()) {
                if (due.contains(metric.name())) {
                    measured.put(metric.name(), measurements.take(rollout, metric, now));
                }
            }
        }
        return measured;
    }

    private void keep(RolloutStore.Turn turn, Rollout taken, Map<String, Measurement> measured) {
        Optional<Rollout> rollout = changes.lock(taken.id());
        if (rollout.isEmpty() || rollout.get().rowVersion() != taken.rowVersion()) {
            LOG.info("rollout {} was changed meanwhile; what was measured of it does not count", taken.id());
            return;
        }
        if (!store.isLatest(turn)) {
            LOG.info("rollout {} was taken by another meanwhile; what was measured of it does not count", taken.id());
            return;
        }
        changes.apply(rollout.get(), rollout.get().advance(measured, clock.now()), RolloutChanges.ITSELF);
    }

    /** Somebody moved the alias himself: what its rollout decides no longer fits. */
    @EventListener
    @Transactional(propagation = Propagation.MANDATORY)
    void aliasMoved(AliasMoved moved) {
        if (moved.kind() != AliasChange.Kind.ROLLED_OUT) {
            store.activeOf(moved.model(), moved.alias())
                    .flatMap(rollout -> repository.lock(rollout.value()))
                    .filter(rollout -> rollout.phase().isActive())
                    .ifPresent(rollout -> changes.apply(
                            rollout, List.of(rollout.abort(why(moved), clock.now())), RolloutChanges.ITSELF));
        }
    }

    private static String why(AliasMoved moved) {
        return moved.kind() == AliasChange.Kind.DELETED
                ? "Alias " + moved.alias() + " was deleted meanwhile."
                : "Alias " + moved.alias() + " was moved to " + moved.versionName() + " meanwhile.";
    }
}
