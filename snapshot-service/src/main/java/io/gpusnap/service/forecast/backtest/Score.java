package io.gpusnap.service.forecast.backtest;

/**
 * How a policy did.
 *
 * @param scaleUps replicas that started
 * @param hotRatio share of them whose snapshot was hot on their node before they came
 * @param prefetchedBytes moved ahead
 * @param prefetchWasteRatio share of those bytes that no scale-up used before they were given up, or at all by the end
 * @param keptBytes brought in by cold starts and kept for the next one
 * @param keptWasteRatio the same share of those
 * @param wasteRatio the same share of both together: the figure that policies are compared by
 * @param medianLeadSeconds from the move to its first use
 * @param meanLeadSeconds the mean of the same
 * @param refused scale-ups that found no free slot
 * @param seconds that the run took
 */
public record Score(
        String policy,
        int scaleUps,
        double hotRatio,
        long prefetchedBytes,
        double prefetchWasteRatio,
        long keptBytes,
        double keptWasteRatio,
        double wasteRatio,
        double medianLeadSeconds,
        double meanLeadSeconds,
        int refused,
        double seconds) {}
