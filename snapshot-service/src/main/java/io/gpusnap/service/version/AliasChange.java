package io.gpusnap.service.version;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.platform.id.HistoryId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One move of an alias.
 *
 * @param who the caller's name
 * @param why in the caller's words, or the rollout's
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record AliasChange(
        HistoryId id,
        Kind kind,
        @Nullable String fromVersion,
        @Nullable String toVersion,
        String who,
        String why,
        Instant at) {

    /** What was done. */
    public enum Kind {
        CREATED,
        PROMOTED,
        /** A rollout came to its end. */
        ROLLED_OUT,
        ROLLED_BACK,
        DELETED
    }
}
