package io.gpusnap.service.operation;

import io.gpusnap.service.platform.problem.ErrorCode;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * Why an operation failed.
 *
 * @param title the code's title
 * @param detail what happened here
 * @param stage the stage that failed, absent when none was reached
 * @param retryable whether the same request might succeed later
 * @param documentation where the code is explained
 */
public record Failure(
        ErrorCode code,
        String title,
        String detail,
        @Nullable String stage,
        boolean retryable,
        URI documentation) {

    public static Failure of(ErrorCode code, String detail, @Nullable String stage, boolean retryable) {
        return new Failure(code, code.title(), detail, stage, retryable, code.documentation());
    }
}
