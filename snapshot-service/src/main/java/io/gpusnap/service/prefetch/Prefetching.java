package io.gpusnap.service.prefetch;

import static io.gpusnap.service.node.Inventory.TierKind.NVME;

import io.gpusnap.service.forecast.WantedChanged;
import io.gpusnap.service.forecast.prefetch.Plan;
import io.gpusnap.service.forecast.prefetch.PrefetchPlanner;
import io.gpusnap.service.forecast.prefetch.PrefetchRules;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.snapshot.Moves;
import io.gpusnap.service.tier.Store;
import java.util.List;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.EventListener;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Runs the planner that the backtest runs. A round is one instance's; each move and each eviction is a transaction of its own, and
 * what is refused leaves nothing behind: the next round plans anew.
 */
@Component
class Prefetching {
    private static final Logger LOG = LoggerFactory.getLogger(Prefetching.class);
    private static final PrefetchRules RULES = PrefetchRules.standard();

    private final PlanInputs inputs;
    private final Moves moves;
    private final PrefetchLog log;
    private final PrefetchMetrics metrics;
    private final PrefetchSettings settings;
    private final TransactionTemplate transaction;
    private final PrefetchPlanner planner = new PrefetchPlanner(RULES);

    Prefetching(
            PlanInputs inputs,
            Moves moves,
            PrefetchLog log,
            PrefetchMetrics metrics,
            PrefetchSettings settings,
            TransactionTemplate transaction) {
        this.inputs = inputs;
        this.moves = moves;
        this.log = log;
        this.metrics = metrics;
        this.settings = settings;
        this.transaction = transaction;
    }

    @Scheduled(fixedDelayString = "PT5S", initialDelayString = "PT5S")
    void planWhenDue() {
        if (settings.nodeBudget().toBytes() > 0 && log.takeRound(settings.interval())) {
            plan();
        }
    }

    /** What is wanted now does not wait for the next round. */
    @EventListener
    void wantedChanged(WantedChanged changed) {
        log.makeDue();
    }

    @Scheduled(fixedDelayString = "PT5S", initialDelayString = "PT5S")
    void settle() {
        // Counted when it is committed: what is rolled back is settled by the next one.
        metrics.ended(Objects.requireNonNull(transaction.execute(status -> log.settle(settings.wastedAfter()))));
        metrics.count(Objects.requireNonNull(transaction.execute(status -> log.thaws())));
    }

    @Scheduled(fixedDelayString = "PT10M", initialDelayString = "PT1M")
    void forgetOld() {
        log.forget(settings.retention());
    }

    void plan() {
        List<PlanInput> all = inputs.read(RULES.keepSteps());
        for (PlanInput input : all) {
            Plan plan = planner.plan(input.needs(), input.sites());
            plan.evictions().forEach(this::giveUp);
            plan.moves().forEach(this::bring);
        }
    }

    private void giveUp(Plan.Eviction eviction) {
        attempt(
                "give up snapshot " + eviction.snapshot() + " on node " + eviction.node(),
                () -> moves.remove(eviction.snapshot(), Store.ownOf(eviction.node(), NVME), eviction.reason()));
    }

    private void bring(Plan.Move move) {
        attempt("bring snapshot " + move.snapshot() + " to node " + move.node(), () -> {
            moves.copy(new Moves.Copy(
                    move.snapshot(),
                    move.node(),
                    Store.ownOf(move.node(), NVME),
                    null,
                    TransferPriority.URGENT,
                    null,
                    move.reason()));
            log.moved(move);
        });
    }

    private void attempt(String what, Runnable step) {
        try {
            transaction.executeWithoutResult(status -> step.run());
        } catch (ApiException refused) {
            LOG.info("refused to {}: {}", what, refused.detail());
        }
    }
}
