package io.gpusnap.service.prefetch;

import static io.gpusnap.service.node.Inventory.TierKind.MEMORY;
import static io.gpusnap.service.node.Inventory.TierKind.NVME;

import io.gpusnap.service.forecast.WantedChanged;
import io.gpusnap.service.forecast.prefetch.Plan;
import io.gpusnap.service.forecast.prefetch.PrefetchPlanner;
import io.gpusnap.service.forecast.prefetch.PrefetchRules;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.snapshot.Moves;
import io.gpusnap.service.tier.Store;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
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

    private final PlanInputs inputs;
    private final UnpromisedPlans plans;
    private final Moves moves;
    private final PrefetchLog log;
    private final PrefetchMetrics metrics;
    private final PrefetchSettings settings;
    private final TransactionTemplate transaction;
    private final PrefetchPlanner ofStores = new PrefetchPlanner(PrefetchRules.standard());
    private final PrefetchPlanner ofMemory = new PrefetchPlanner(PrefetchRules.inMemory());

    Prefetching(
            PlanInputs inputs,
            UnpromisedPlans plans,
            Moves moves,
            PrefetchLog log,
            PrefetchMetrics metrics,
            PrefetchSettings settings,
            TransactionTemplate transaction) {
        this.inputs = inputs;
        this.plans = plans;
        this.moves = moves;
        this.log = log;
        this.metrics = metrics;
        this.settings = settings;
        this.transaction = transaction;
    }

    @Scheduled(
            fixedDelayString = "${gpusnap.prefetch.check-interval:5s}",
            initialDelayString = "${gpusnap.prefetch.check-interval:5s}")
    void planWhenDue() {
        if (!settings.plansNothing() && log.takeRound(settings.interval())) {
            plan();
        }
    }

    /** What is wanted now does not wait for the next round. */
    @EventListener
    void wantedChanged(WantedChanged changed) {
        log.makeDue();
    }

    @Scheduled(
            fixedDelayString = "${gpusnap.prefetch.check-interval:5s}",
            initialDelayString = "${gpusnap.prefetch.check-interval:5s}")
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
        for (PlanInput input : inputs.read(PrefetchRules.standard().keepSteps())) {
            carryOut(plans.plan(ofStores, input.needs(), input.own(), NVME), NVME);
            // Nothing comes into memory in one go: what is on its way to the store is there by the next round.
            carryOut(plans.plan(ofMemory, input.needs(), input.memory(), MEMORY), MEMORY);
        }
    }

    /** What needs room that is only being made comes with a later round: urgent moves would overtake the removal. */
    private void carryOut(Plan plan, Inventory.TierKind tier) {
        plan.evictions().forEach(eviction -> giveUp(eviction, tier));
        Set<NodeId> makingRoom =
                plan.evictions().stream().map(Plan.Eviction::node).collect(Collectors.toSet());
        plan.moves().stream().filter(move -> !makingRoom.contains(move.node())).forEach(move -> bring(move, tier));
    }

    private void giveUp(Plan.Eviction eviction, Inventory.TierKind tier) {
        attempt(
                "give up snapshot " + eviction.snapshot() + " in " + tier + " of node " + eviction.node(),
                () -> moves.remove(eviction.snapshot(), Store.ownOf(eviction.node(), tier), eviction.reason()));
    }

    private void bring(Plan.Move move, Inventory.TierKind tier) {
        attempt("bring snapshot " + move.snapshot() + " to " + tier + " of node " + move.node(), () -> {
            moves.copy(new Moves.Copy(
                    move.snapshot(),
                    move.node(),
                    Store.ownOf(move.node(), tier),
                    tier == MEMORY ? Store.ownOf(move.node(), NVME) : null,
                    TransferPriority.URGENT,
                    move.reason()));
            log.moved(move, tier);
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
