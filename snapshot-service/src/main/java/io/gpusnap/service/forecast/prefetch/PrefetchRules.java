package io.gpusnap.service.forecast.prefetch;

/**
 * How the planner weighs.
 *
 * @param moveSteps how far ahead scale-ups are prepared for
 * @param keepSteps how far ahead a scale-up may be to speak for keeping a copy that is there
 * @param halfLifeSteps a scale-up that far ahead counts half as much for keeping a copy as one that comes at once
 * @param moveFrom the least probability of a scale-up that bytes are moved for
 * @param keepFrom the least worth that speaks for keeping a copy
 * @param margin a copy is given up only for one that is worth more by this much
 * @param mostReplicas how many further replicas of one model are prepared for
 */
public record PrefetchRules(
        int moveSteps,
        int keepSteps,
        double halfLifeSteps,
        double moveFrom,
        double keepFrom,
        double margin,
        int mostReplicas) {

    public PrefetchRules {
        if (moveSteps < 1 || keepSteps < moveSteps || mostReplicas < 1 || !(halfLifeSteps > 0)) {
            throw new IllegalArgumentException("1 <= moveSteps <= keepSteps, mostReplicas >= 1, halfLifeSteps > 0");
        }
        if (!(0 < keepFrom && keepFrom <= moveFrom && moveFrom <= 1 && margin >= 0)) {
            throw new IllegalArgumentException("0 < keepFrom <= moveFrom <= 1, margin >= 0");
        }
    }

    /**
     * For steps of five minutes: moves an hour ahead, copies kept four. Chosen on generated traces
     * ({@code docs/forecast.md} says which), where lower thresholds moved more for nothing, and smaller margins moved the same
     * copies back and forth.
     */
    public static PrefetchRules standard() {
        return new PrefetchRules(12, 48, 24.0, 0.75, 0.05, 0.75, 8);
    }

    /**
     * The same, later: what is in the node's own store is in its memory within seconds, and what is there long is likely to have made
     * room for something else by then. Moves a quarter of an hour ahead, copies kept one.
     */
    public static PrefetchRules inMemory() {
        PrefetchRules own = standard();
        return new PrefetchRules(3, 12, 6.0, own.moveFrom(), own.keepFrom(), own.margin(), own.mostReplicas());
    }
}
