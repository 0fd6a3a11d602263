package io.gpusnap.service.version;

import io.gpusnap.service.platform.id.VersionId;
import org.jspecify.annotations.Nullable;

/**
 * An alias stands for another version, or was deleted. Published in the transaction that does it.
 *
 * @param version that it stands for now, or stood for last
 * @param leftVersionName that it stood for before; null for a new one
 */
public record AliasMoved(
        String model,
        String alias,
        VersionId version,
        String versionName,
        @Nullable String leftVersionName,
        AliasChange.Kind kind) {}
