package io.gpusnap.node.engine;

import java.util.Optional;
import java.util.UUID;

/**
 * A tier of this node.
 *
 * @param storeId what must be behind the name; empty: whatever is
 */
public record TierRef(String name, Optional<UUID> storeId) {

    /** Whatever store is behind the name. */
    public static TierRef named(String name) {
        return new TierRef(name, Optional.empty());
    }
}
