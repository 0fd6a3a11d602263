package io.gpusnap.service.policy.rules;

import io.swagger.v3.oas.annotations.media.Schema;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a model version is to its model now. */
@Schema(name = "VersionRole")
public enum Role {
    /** The alias {@code stable} stands for it; of a model without that alias, the newest version with a snapshot. */
    STABLE,
    /** The alias {@code canary} stands for it. */
    CANARY,
    /** Neither. */
    HISTORY;

    /** Whether it is one of those; none named means all. */
    boolean isIn(@Nullable Set<Role> roles) {
        return roles == null || roles.isEmpty() || roles.contains(this);
    }
}
