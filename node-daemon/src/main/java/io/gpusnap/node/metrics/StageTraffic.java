package io.gpusnap.node.metrics;

import java.util.Optional;

/**
 * Between what a stage moves its bytes, seen from the tier.
 *
 * @param direction read or write
 */
record StageTraffic(String direction, String tier) {

    static Optional<StageTraffic> of(String stage) {
        return switch (stage) {
            case "drain" -> Optional.of(new StageTraffic("write", "memory"));
            case "fill" -> Optional.of(new StageTraffic("read", "memory"));
            case "store" -> Optional.of(new StageTraffic("write", "nvme"));
            case "verify", "materialise" -> Optional.of(new StageTraffic("read", "nvme"));
            default -> Optional.empty();
        };
    }
}
