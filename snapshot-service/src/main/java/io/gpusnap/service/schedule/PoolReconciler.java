package io.gpusnap.service.schedule;

import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.schedule.core.Decision;
import io.gpusnap.service.schedule.core.PoolState;
import io.gpusnap.service.schedule.core.Replica;
import io.gpusnap.service.schedule.core.Scheduler;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Decides on pools that are due. Every instance runs it: a round is one instance's, and each of its actions is one transaction
 * that first makes sure that no later round has begun. An action that is refused leaves nothing behind but its entry.
 */
@Component
class PoolReconciler {
    private static final Logger LOG = LoggerFactory.getLogger(PoolReconciler.class);

    private final PoolRounds rounds;
    private final PoolRepository pools;
    private final PoolStates states;
    private final Scheduler scheduler;
    private final PoolActuator actuator;
    private final DecisionLog log;
    private final PoolMetrics metrics;
    private final ScheduleSettings settings;
    private final TransactionTemplate transaction;

    PoolReconciler(
            PoolRounds rounds,
            PoolRepository pools,
            PoolStates states,
            Scheduler scheduler,
            PoolActuator actuator,
            DecisionLog log,
            PoolMetrics metrics,
            ScheduleSettings settings,
            TransactionTemplate transaction) {
        this.rounds = rounds;
        this.pools = pools;
        this.states = states;
        this.scheduler = scheduler;
        this.actuator = actuator;
        this.log = log;
        this.metrics = metrics;
        this.settings = settings;
        this.transaction = transaction;
    }

    @Scheduled(fixedDelayString = "${gpusnap.schedule.check-interval:1s}")
    void decideOnThoseThatAreDue() {
        Optional<PoolRounds.Round> round = rounds.take(settings.interval());
        while (round.isPresent()) {
            decide(round.get());
            round = rounds.take(settings.interval());
        }
    }

    @Scheduled(fixedDelayString = "PT10M", initialDelayString = "PT1M")
    void forgetOld() {
        log.forget(settings.retention());
    }

    private void decide(PoolRounds.Round round) {
        Optional<Pool> pool = pools.find(round.pool());
        if (pool.isEmpty()) {
            return;
        }
        PoolState state = states.read(pool.get());
        Decision decision = scheduler.decide(state);
        Map<String, PoolState.Memory> memory = new HashMap<>(decision.memory());
        for (Decision.Action action : decision.actions()) {
            if (!act(round, pool.get(), action)) {
                // It still has to wait, and for as long as before.
                memory.computeIfPresent(
                        action.model(), (model, now) -> state.memory().getOrDefault(model, now));
            }
        }
        transaction.executeWithoutResult(status -> {
            if (rounds.hold(round)) {
                rounds.remember(round.pool(), memory);
            }
        });
        metrics.decided(round.pool(), decision);
    }

    /** False if it was refused. */
    private boolean act(PoolRounds.Round round, Pool pool, Decision.Action action) {
        DecisionLog.Entry entry = entry(pool, action);
        try {
            return Boolean.TRUE.equals(transaction.execute(status -> {
                if (!rounds.hold(round)) {
                    return false;
                }
                List<OperationId> operations = actuator.queue(pool, action);
                log.add(entry, operations, null);
                metrics.done(entry.action(), "queued");
                return true;
            }));
        } catch (ApiException e) {
            LOG.info("pool {}: {} of {} was refused: {}", pool.name(), entry.action(), entry.model(), e.getMessage());
            log.add(entry, List.of(), e.code() + ": " + e.getMessage());
            metrics.done(entry.action(), "refused");
            return false;
        }
    }

    private static DecisionLog.Entry entry(Pool pool, Decision.Action action) {
        return switch (action) {
            case Decision.Suspend suspend ->
                entry(pool, action, PoolDecision.Action.SUSPEND, Optional.of(suspend.replica()), false);
            case Decision.Thaw thaw -> start(pool, action, PoolDecision.Action.THAW, thaw.instead());
            case Decision.Resume resume -> start(pool, action, PoolDecision.Action.RESUME, resume.instead());
        };
    }

    private static DecisionLog.Entry start(
            Pool pool, Decision.Action action, PoolDecision.Action alone, Optional<Replica> instead) {
        return entry(
                pool, action, instead.isPresent() ? PoolDecision.Action.SWITCH : alone, instead, instead.isPresent());
    }

    private static DecisionLog.Entry entry(
            Pool pool, Decision.Action action, PoolDecision.Action kind, Optional<Replica> leaves, boolean replaces) {
        Optional<WorkloadId> leaving = leaves.map(Replica::id);
        return new DecisionLog.Entry(
                pool.name(), kind, action.model(), action.node(), leaving, replaces, action.reason());
    }
}
