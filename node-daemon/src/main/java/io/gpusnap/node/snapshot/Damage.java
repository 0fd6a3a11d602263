package io.gpusnap.node.snapshot;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Which tiers had a chunk that was not what it should be, also where another tier helped. Thread-safe. */
public final class Damage {

    private final Map<String, String> byTier = new ConcurrentHashMap<>();

    /**
     * The first finding of each tier is kept.
     *
     * @param tier its name
     */
    public void found(String tier, String detail) {
        byTier.putIfAbsent(tier, detail);
    }

    /** What was found first, by the tier's name. */
    public Map<String, String> byTier() {
        return Map.copyOf(byTier);
    }
}
