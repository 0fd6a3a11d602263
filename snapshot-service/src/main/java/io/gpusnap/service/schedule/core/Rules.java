package io.gpusnap.service.schedule.core;

/**
 * How a pool is shared.
 *
 * @param agingSeconds waiting this long is worth one level of priority, so that whoever waits long enough comes before anybody
 * @param mostActions that one decision may bring, so that a change of many goals does not become a storm
 */
public record Rules(double agingSeconds, int mostActions) {
    public Rules {
        if (!(agingSeconds > 0) || mostActions < 1) {
            throw new IllegalArgumentException("agingSeconds > 0, mostActions >= 1");
        }
    }
}
