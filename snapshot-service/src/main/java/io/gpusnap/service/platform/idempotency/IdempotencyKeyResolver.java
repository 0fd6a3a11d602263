package io.gpusnap.service.platform.idempotency;

import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.Violation;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.core.MethodParameter;
import org.springframework.web.bind.support.WebDataBinderFactory;
import org.springframework.web.context.request.NativeWebRequest;
import org.springframework.web.method.support.HandlerMethodArgumentResolver;
import org.springframework.web.method.support.ModelAndViewContainer;

/** Reads the header as a quoted string, as the IETF draft on Idempotency-Key has it (a structured-field string). */
final class IdempotencyKeyResolver implements HandlerMethodArgumentResolver {
    static final String HEADER = "Idempotency-Key";
    private static final Pattern QUOTED = Pattern.compile("\"([\\x20-\\x21\\x23-\\x5b\\x5d-\\x7e]{1,200})\"");

    @Override
    public boolean supportsParameter(MethodParameter parameter) {
        return parameter.getParameterType().equals(IdempotencyKey.class);
    }

    @Override
    public Object resolveArgument(
            MethodParameter parameter,
            @Nullable ModelAndViewContainer container,
            NativeWebRequest request,
            @Nullable WebDataBinderFactory binders) {
        String header = request.getHeader(HEADER);
        if (header == null || header.isBlank()) {
            throw new ApiException(ErrorCode.IDEMPOTENCY_KEY_MISSING, "The header " + HEADER + " is missing.");
        }
        Matcher matcher = QUOTED.matcher(header.strip());
        if (!matcher.matches()) {
            String detail = "must be 1 to 200 printable ASCII characters in double quotes";
            throw new ApiException(
                    ErrorCode.INVALID_REQUEST, HEADER + " " + detail + ".", List.of(new Violation(HEADER, detail)));
        }
        HttpServletRequest servlet = Objects.requireNonNull(request.getNativeRequest(HttpServletRequest.class));
        return new IdempotencyKey(matcher.group(1), servlet.getMethod() + " " + servlet.getRequestURI());
    }
}
