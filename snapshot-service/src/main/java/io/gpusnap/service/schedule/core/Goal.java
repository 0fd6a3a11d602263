package io.gpusnap.service.schedule.core;

/**
 * What a model is to have in a pool.
 *
 * @param priority higher goes first; each level is worth {@link Rules#agingSeconds} of waiting
 * @param keepAliveSeconds a replica that is not wanted any more stays this long, if nobody else waits
 * @param minResidencySeconds a replica that has started is left alone this long
 */
public record Goal(
        String model, int desired, int priority, double keepAliveSeconds, double minResidencySeconds, Costs costs) {

    /**
     * What changing hands costs, as it was measured for the model.
     *
     * @param thawSeconds from a snapshot to a replica that serves
     */
    public record Costs(double suspendSeconds, double resumeSeconds, double thawSeconds) {}
}
