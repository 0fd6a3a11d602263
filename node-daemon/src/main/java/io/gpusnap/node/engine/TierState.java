package io.gpusnap.node.engine;

import io.gpusnap.node.tier.TierUsage;
import java.util.Optional;
import java.util.UUID;

/**
 * @param storeId the same on every node that shares the store; empty while it cannot be told
 * @param trouble why it is not to be counted on now
 */
public record TierState(String name, TierUsage usage, Optional<UUID> storeId, Optional<String> trouble) {}
