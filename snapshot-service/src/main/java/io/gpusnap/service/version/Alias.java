package io.gpusnap.service.version;

import io.gpusnap.service.platform.id.VersionId;
import java.time.Instant;

/**
 * A name that moves from version to version.
 *
 * @param versionName the version that it stands for now
 * @param rowVersion for the ETag
 */
public record Alias(
        String model,
        String name,
        VersionId versionId,
        String versionName,
        long rowVersion,
        Instant createdAt,
        Instant updatedAt) {}
