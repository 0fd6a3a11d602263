package io.gpusnap.service.restore;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Nothing comes back, and what to do about it. An answer, not an error: a snapshot is never the reason that a service is
 * down.
 *
 * @param code why nothing comes back
 * @param image what the version is started from
 * @param engineArguments how
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ColdStart(
        Action action,
        ErrorCode code,
        String detail,
        @Nullable String image,
        List<String> engineArguments) {

    /** What the caller does now. */
    public enum Action {
        START_IT_YOURSELF
    }
}
