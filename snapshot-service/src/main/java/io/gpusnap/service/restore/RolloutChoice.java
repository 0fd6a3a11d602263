package io.gpusnap.service.restore;

import io.gpusnap.service.platform.id.RolloutId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A feature that may say which version an alias means for one restore. */
public interface RolloutChoice {

    /**
     * The version for this restore.
     *
     * @param reason in a sentence
     */
    record Chosen(String version, RolloutId rollout, String reason) {}

    /**
     * Empty while the alias means one version for all.
     *
     * @param replicaKey the same key gets the same version while shares do not change; absent counts as a new replica
     * @param dryRun tells what it would be, and counts nothing
     */
    Optional<Chosen> choose(String model, String alias, @Nullable String replicaKey, boolean dryRun);
}
