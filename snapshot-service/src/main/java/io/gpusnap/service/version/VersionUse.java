package io.gpusnap.service.version;

import io.gpusnap.service.platform.id.VersionId;
import java.util.Optional;

/** A feature that may still need a model version; asked before one is deleted. */
public interface VersionUse {

    /** @return what still needs it, in words, or empty */
    Optional<String> whyNeeded(VersionId version);
}
