package io.gpusnap.service.testing;

import io.gpusnap.service.policy.DemandOutlook;
import java.time.Duration;
import java.util.Map;

/** A forecast that a test writes; it expects nothing until then. */
public final class TestOutlook implements DemandOutlook {
    private volatile Map<String, Double> expected = Map.of();

    public void expect(Map<String, Double> replicas) {
        expected = Map.copyOf(replicas);
    }

    @Override
    public Map<String, Double> expectedReplicas(Duration within) {
        return expected;
    }
}
