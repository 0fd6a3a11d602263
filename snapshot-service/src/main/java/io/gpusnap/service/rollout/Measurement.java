package io.gpusnap.service.rollout;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a metric said once.
 *
 * @param value that was judged; absent where there was none
 * @param message in a sentence
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Measurement(
        Instant at, Verdict verdict, @Nullable Double value, String message) {

    /** How a value was judged. */
    @Schema(name = "MeasurementVerdict")
    public enum Verdict {
        SUCCESSFUL,
        FAILED,
        /** Nothing was learned: no samples, no value, no answer. */
        INCONCLUSIVE
    }
}
