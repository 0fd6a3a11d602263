package io.gpusnap.service.rollout;

import org.jspecify.annotations.Nullable;

/**
 * Who gets the new version. Counted, not drawn: after any number n of replicas at weight w, exactly the smallest whole number
 * not below n·w/100 of them have got it, so the very first one does, and no run of luck hides a bad version. Pure.
 *
 * @param total replicas that were counted since the shares last changed
 * @param canary those of them that got the new version
 */
record Shares(long total, long canary) {
    static final Shares NONE = new Shares(0, 0);

    /** Whether the next replica gets the new version. */
    boolean next(int weightPercent, @Nullable CanaryScale scale) {
        return canary < most(total + 1, weightPercent, scale);
    }

    /** Whether no more have the new version than may. */
    boolean fit(int weightPercent, @Nullable CanaryScale scale) {
        return canary <= most(total, weightPercent, scale);
    }

    private static long most(long replicas, int weightPercent, @Nullable CanaryScale scale) {
        if (scale != null && scale.replicas() != null) {
            return scale.replicas();
        }
        int weight = scale != null && scale.weight() != null ? scale.weight() : weightPercent;
        return Math.ceilDiv(replicas * weight, 100L);
    }

    Shares counted(boolean toCanary) {
        return new Shares(total + 1, canary + (toCanary ? 1 : 0));
    }
}
