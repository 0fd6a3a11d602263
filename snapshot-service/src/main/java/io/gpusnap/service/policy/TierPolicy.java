package io.gpusnap.service.policy;

import java.time.Instant;

/**
 * A named policy.
 *
 * @param evaluatedAt when it was carried out last
 */
public record TierPolicy(
        String name, TierPolicySpec spec, Instant evaluatedAt, long rowVersion, Instant createdAt, Instant updatedAt) {}
