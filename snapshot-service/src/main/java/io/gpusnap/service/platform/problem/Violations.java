package io.gpusnap.service.platform.problem;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.springframework.context.MessageSourceResolvable;
import org.springframework.validation.FieldError;
import org.springframework.validation.method.ParameterErrors;
import org.springframework.validation.method.ParameterValidationResult;
import org.springframework.web.bind.MethodArgumentNotValidException;
import org.springframework.web.method.annotation.HandlerMethodValidationException;
import org.springframework.web.method.annotation.MethodArgumentTypeMismatchException;

/** Reads Spring's validation results as {@link Violation}s. */
final class Violations {
    private Violations() {}

    static List<Violation> of(MethodArgumentNotValidException e) {
        List<Violation> found = new ArrayList<>();
        e.getFieldErrors().forEach(error -> found.add(of(error)));
        e.getGlobalErrors().forEach(error -> found.add(new Violation("", message(error))));
        found.sort((a, b) -> a.pointer().compareTo(b.pointer()));
        return found;
    }

    static List<Violation> of(HandlerMethodValidationException e) {
        List<Violation> found = new ArrayList<>();
        for (ParameterValidationResult result : e.getParameterValidationResults()) {
            if (result instanceof ParameterErrors errors) {
                errors.getFieldErrors().forEach(error -> found.add(of(error)));
                errors.getGlobalErrors().forEach(error -> found.add(new Violation("", message(error))));
            } else {
                String name = Optional.ofNullable(result.getMethodParameter().getParameterName())
                        .orElse("parameter");
                result.getResolvableErrors().forEach(error -> found.add(new Violation(name, message(error))));
            }
        }
        found.sort((a, b) -> a.pointer().compareTo(b.pointer()));
        return found;
    }

    static String typeMismatch(MethodArgumentTypeMismatchException e) {
        Class<?> type = e.getRequiredType();
        if (type != null && type.isEnum()) {
            return "must be one of "
                    + Arrays.stream(type.getEnumConstants())
                            .map(String::valueOf)
                            .collect(Collectors.joining(", "));
        }
        return "is not a valid "
                + (type == null ? "value" : type.getSimpleName().toLowerCase(Locale.ROOT));
    }

    private static Violation of(FieldError error) {
        return new Violation(pointer(error.getField()), message(error));
    }

    /** {@code gpus[0].uuid} as {@code /gpus/0/uuid}. */
    static String pointer(String path) {
        return "/"
                + path.replace("[]", "")
                        .replace("].", "/")
                        .replace("[", "/")
                        .replace("]", "")
                        .replace(".", "/");
    }

    private static String message(MessageSourceResolvable error) {
        return Optional.ofNullable(error.getDefaultMessage()).orElse("is not valid");
    }
}
