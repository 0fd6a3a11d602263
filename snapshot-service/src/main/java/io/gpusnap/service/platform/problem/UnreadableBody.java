package io.gpusnap.service.platform.problem;

import java.net.SocketTimeoutException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.http.converter.HttpMessageNotReadableException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.exc.InvalidFormatException;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.exc.UnrecognizedPropertyException;

/** Why a body could not be read, in words that name the place but no class of ours. */
record UnreadableBody(ErrorCode code, String detail, List<Violation> violations) {

    static UnreadableBody of(HttpMessageNotReadableException e) {
        Throwable cause = e.getCause();
        if (cause instanceof ApiException refused) {
            return new UnreadableBody(refused.code(), refused.detail(), refused.violations());
        }
        for (Throwable at = cause; at != null; at = at.getCause()) {
            if (at instanceof ApiException refused) {
                return new UnreadableBody(refused.code(), refused.detail(), refused.violations());
            }
        }
        if (isTimeout(cause)) {
            return new UnreadableBody(ErrorCode.REQUEST_TIMEOUT, "The body stopped arriving.", List.of());
        }
        return switch (cause) {
            case UnrecognizedPropertyException unknown ->
                invalid(pointer(unknown), "is not a known field; known are " + known(unknown));
            case InvalidFormatException format -> invalid(pointer(format), expectation(format));
            case MismatchedInputException mismatch
            when !mismatch.getPath().isEmpty() -> invalid(pointer(mismatch), "has the wrong JSON type");
            case DatabindException bind when !bind.getPath().isEmpty() -> invalid(pointer(bind), "is not valid");
            case StreamReadException malformed -> malformed(malformed);
            case null -> new UnreadableBody(ErrorCode.MALFORMED_JSON, "The body is missing.", List.of());
            default ->
                new UnreadableBody(
                        ErrorCode.MALFORMED_JSON, "The body is missing or not the JSON expected.", List.of());
        };
    }

    private static boolean isTimeout(@Nullable Throwable cause) {
        return cause != null && (cause instanceof SocketTimeoutException || isTimeout(cause.getCause()));
    }

    private static UnreadableBody malformed(StreamReadException e) {
        var at = e.getLocation();
        return new UnreadableBody(
                ErrorCode.MALFORMED_JSON,
                at == null || at.getLineNr() < 0
                        ? "The body is not JSON."
                        : "The body is not JSON at line " + at.getLineNr() + ", column " + at.getColumnNr() + ".",
                List.of());
    }

    private static UnreadableBody invalid(String pointer, String detail) {
        return new UnreadableBody(
                ErrorCode.INVALID_REQUEST, pointer + " " + detail + ".", List.of(new Violation(pointer, detail)));
    }

    private static String expectation(InvalidFormatException e) {
        Class<?> type = e.getTargetType();
        if (type != null && type.isEnum()) {
            return "must be one of "
                    + Arrays.stream(type.getEnumConstants())
                            .map(String::valueOf)
                            .collect(Collectors.joining(", "));
        }
        return "has the wrong format";
    }

    private static String known(UnrecognizedPropertyException e) {
        return e.getKnownPropertyIds() == null
                ? "none"
                : e.getKnownPropertyIds().stream().map(String::valueOf).sorted().collect(Collectors.joining(", "));
    }

    private static String pointer(JacksonException e) {
        return e.getPath().stream()
                .map(step -> step.getPropertyName() != null ? step.getPropertyName() : String.valueOf(step.getIndex()))
                .map(step -> step.replace("~", "~0").replace("/", "~1"))
                .collect(Collectors.joining("/", "/", ""));
    }
}
