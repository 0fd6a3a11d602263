package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.id.RolloutId;
import io.gpusnap.service.version.Aliases;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Makes what happened to a rollout last: its row, its shares, its history, and at its end the alias. */
@Component
@Transactional(propagation = Propagation.MANDATORY)
class RolloutChanges {
    /** Who did what nobody asked for. */
    static final String ITSELF = "rollout";

    private static final Logger LOG = LoggerFactory.getLogger(RolloutChanges.class);

    private final RolloutRepository repository;
    private final RolloutStore store;
    private final Allotments allotments;
    private final Aliases aliases;

    RolloutChanges(RolloutRepository repository, RolloutStore store, Allotments allotments, Aliases aliases) {
        this.repository = repository;
        this.store = store;
        this.allotments = allotments;
        this.aliases = aliases;
    }

    /**
     * Holds a rollout for a change. Always in this order: the alias, its rollout, the counts; who moves an alias takes them
     * in the same.
     */
    Optional<Rollout> lock(RolloutId id) {
        store.aliasOf(id).ifPresent(of -> aliases.holdIfThere(of.model(), of.alias()));
        return repository.lock(id.value());
    }

    void apply(Rollout rollout, List<Happening> happened, String who) {
        Shares counted = allotments.hold(rollout.id());
        for (Happening happening : happened) {
            LOG.info(
                    "rollout {} of {} {}: {}",
                    rollout.id(),
                    rollout.modelName(),
                    happening.type(),
                    happening.message());
            store.record(rollout, withCounts(happening, counted), who);
        }
        if (happened.stream().anyMatch(happening -> changesShares(happening.type()))) {
            allotments.restart(rollout.id());
        }
        if (!rollout.phase().isActive()) {
            allotments.close(rollout.id());
        }
        repository.saveAndFlush(rollout);
        store.schedule(rollout);
        if (rollout.phase() == RolloutPhase.HEALTHY) {
            aliases.rolledOut(
                    rollout.modelName(),
                    rollout.alias(),
                    rollout.canaryVersion(),
                    new Aliases.Reason(who, "rollout " + rollout.id() + " came to its end"));
        }
    }

    private static boolean changesShares(RolloutEvent.Type type) {
        return switch (type) {
            case WEIGHT_SET, CANARY_SCALE_SET, ROLLED_BACK, ABORTED, RETRIED, COMPLETED -> true;
            case STARTED,
                    PAUSED,
                    RESUMED,
                    PROMOTED,
                    ANALYSIS_STARTED,
                    ANALYSIS_SUCCEEDED,
                    ANALYSIS_FAILED,
                    ANALYSIS_INCONCLUSIVE -> false;
        };
    }

    /** The history keeps how many restores each share really had. */
    private static Happening withCounts(Happening happening, Shares counted) {
        return changesShares(happening.type()) && counted.total() > 0
                ? new Happening(
                        happening.type(),
                        happening.step(),
                        happening.message() + " Until now " + counted.canary() + " of " + counted.total()
                                + " got the new version.")
                : happening;
    }
}
