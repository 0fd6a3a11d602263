package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/**
 * A way back failed: takes the next one, decided anew, since nodes and snapshots are others by now. When none is left the
 * caller is told to start it himself, if he wants that.
 */
@Component
class Fallback {
    private static final Logger LOG = LoggerFactory.getLogger(Fallback.class);

    private final RestoreRepository restores;
    private final RestoredProcesses ends;
    private final Decider decider;
    private final Ways ways;
    private final ColdStarts coldStarts;
    private final RestoreMetrics metrics;
    private final DatabaseClock clock;

    Fallback(
            RestoreRepository restores,
            RestoredProcesses ends,
            Decider decider,
            Ways ways,
            ColdStarts coldStarts,
            RestoreMetrics metrics,
            DatabaseClock clock) {
        this.restores = restores;
        this.ends = ends;
        this.decider = decider;
        this.ways = ways;
        this.coldStarts = coldStarts;
        this.metrics = metrics;
        this.clock = clock;
    }

    @Transactional(propagation = Propagation.MANDATORY)
    void failed(Operation operation, Failure why) {
        Restore restore = ends.of(operation);
        restore.attemptFailed(why, clock.now());
        Optional<Decision.Step> next = restore.wish().flatMap(wish -> next(restore, wish));
        if (next.isPresent()) {
            LOG.info(
                    "restore {}: {} failed, goes on with {}",
                    restore.id(),
                    why.code(),
                    next.get().way());
            metrics.fellBack(next.get().way());
            ways.setOut(restore, next.get());
        } else if (restore.wish().map(KeptWish::cold).orElse(false)) {
            metrics.fellBack(Decision.Way.COLD);
            coldStarts.end(restore, why.code(), why.detail());
        } else {
            restores.saveAndFlush(restore);
            ends.failed(operation);
        }
    }

    /** Where the first thaw was tried is "here" for all that follow. */
    private static Decision.Way way(Restore restore, Decision.Step next) {
        return restore.firstThawedOn()
                .map(here -> here.equals(next.nodeId()) ? Decision.Way.THAW : Decision.Way.THAW_ELSEWHERE)
                .orElse(next.way());
    }

    private Optional<Decision.Step> next(Restore restore, KeptWish wish) {
        return decider
                .decide(new Decider.Question(
                        restore.modelName(),
                        restore.versionName(),
                        Optional.ofNullable(wish.only()),
                        wish.constraints(),
                        restore.tried(),
                        wish.container() != null))
                .steps()
                .stream()
                .filter(ways::canSetOut)
                .findFirst()
                .map(step -> step.by(way(restore, step)));
    }
}
