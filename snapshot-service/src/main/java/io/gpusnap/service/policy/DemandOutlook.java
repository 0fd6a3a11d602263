package io.gpusnap.service.policy;

import java.time.Duration;
import java.util.Map;

/** What a forecast expects; implemented by the feature that has one. Without an implementation nothing is expected. */
public interface DemandOutlook {

    /**
     * How many replicas of each model will be wanted at the same time, at most, within this time from now. Models that are
     * not in it have no forecast.
     */
    Map<String, Double> expectedReplicas(Duration within);
}
