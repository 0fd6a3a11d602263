package io.gpusnap.node.client;

import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * @param cancelOperations to be cancelled on somebody's request
 * @param fencedOperations no longer this daemon's
 */
public record HeartbeatAnswer(Instant serverTime, List<UUID> cancelOperations, List<UUID> fencedOperations) {}
