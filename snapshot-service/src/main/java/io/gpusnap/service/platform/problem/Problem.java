package io.gpusnap.service.platform.problem;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.swagger.v3.oas.annotations.media.Schema;
import java.net.URI;
import java.util.List;

/**
 * The body of every refusal (RFC 9457).
 *
 * @param type where the code is explained
 * @param title the code's title
 * @param status the HTTP status
 * @param detail what happened here
 * @param instance the path of the request
 * @param code machine-readable
 * @param errors the refused parts, empty when the request as a whole is refused
 */
@Schema(description = "A refusal, as of RFC 9457")
public record Problem(
        URI type,
        String title,
        int status,
        String detail,
        String instance,
        ErrorCode code,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Violation> errors) {

    static Problem of(ErrorCode code, String detail, String instance, List<Violation> errors) {
        return new Problem(code.documentation(), code.title(), code.status().value(), detail, instance, code, errors);
    }
}
