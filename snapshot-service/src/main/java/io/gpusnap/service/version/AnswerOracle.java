package io.gpusnap.service.version;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A recorded prompt and what has to be in its answer. After each thaw of the version the node's daemon asks it, before the
 * restore has succeeded; a process that answers otherwise is ended.
 *
 * @param path with query, such as {@code /answer?prompt=hello}
 * @param body sent by POST; absent asks by GET
 * @param contentType of the body, application/json when absent
 * @param port absent is the first one that the process listens on
 * @param expectedStatus 200 when absent
 * @param expectedTokens that the answer's body has in it, in this order
 * @param timeoutSeconds until there is an answer, 30 when absent
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record AnswerOracle(
        @NotNull @Size(max = 2000) @Pattern(regexp = "/[!-~]*", message = "must begin with / and have no spaces")
        String path,

        @Size(max = 16_384) @Nullable String body,
        @Size(min = 1, max = 200) @Nullable String contentType,
        @Min(1) @Max(65_535) @Nullable Integer port,
        @Min(100) @Max(599) @Nullable Integer expectedStatus,
        @NotNull @Size(min = 1, max = 200) List<@NotNull @Size(min = 1, max = 2000) String> expectedTokens,
        @Min(1) @Max(600) @Nullable Integer timeoutSeconds) {}
