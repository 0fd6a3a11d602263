package io.gpusnap.service.version;

import io.gpusnap.service.platform.id.VersionId;
import java.util.Optional;

/** A feature that may still need a model version; asked before one is deleted. */
public interface VersionUse {

    /** What still needs it, in words; empty when nothing does. */
    Optional<String> whyNeeded(VersionId version);
}
