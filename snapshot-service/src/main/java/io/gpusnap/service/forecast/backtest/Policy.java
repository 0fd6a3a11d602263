package io.gpusnap.service.forecast.backtest;

/** What decides over the fast tiers in a backtest. It sees the trace up to the step that has just passed, and no more. */
interface Policy {
    String name();

    /** Whether what a cold start brought in stays there. */
    boolean keepsWhatCameIn();

    /** The step has passed: moves and evictions before the next one. */
    void between(int step, FastTiers tiers);

    /** Which copy on the node goes first when something else has to come in. */
    FastTiers.Copy victim(int node, FastTiers tiers);
}
