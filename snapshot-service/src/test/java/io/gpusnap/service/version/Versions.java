package io.gpusnap.service.version;

import io.gpusnap.service.platform.id.VersionId;
import java.time.Instant;

/** Versions for tests that need no database. */
public final class Versions {
    private Versions() {}

    public static ModelVersion named(String name) {
        return new ModelVersion(
                VersionId.next(),
                "m",
                name,
                null,
                new VersionFacts(null, null, null, null, null, null, null, null),
                Instant.EPOCH);
    }
}
