package io.gpusnap.service.platform.config;

import java.util.stream.Collectors;
import org.springframework.boot.context.properties.bind.validation.BindValidationException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.validation.FieldError;
import org.springframework.validation.ObjectError;

/** Names the properties whose values break a settings record's rules, one line each. */
public final class InvalidSettingsAnalyzer extends AbstractFailureAnalyzer<BindValidationException> implements Ordered {
    @Override
    protected FailureAnalysis analyze(Throwable root, BindValidationException cause) {
        String prefix = String.valueOf(cause.getValidationErrors().getName());
        String lines = cause.getValidationErrors().getAllErrors().stream()
                .map(error -> property(prefix, error) + ": " + error.getDefaultMessage() + value(error))
                .sorted()
                .collect(Collectors.joining("\n"));
        return new FailureAnalysis(lines, null, cause);
    }

    private static String property(String prefix, ObjectError error) {
        return error instanceof FieldError field ? prefix + "." + kebab(field.getField()) : prefix;
    }

    private static String value(ObjectError error) {
        return error instanceof FieldError field ? " (is " + field.getRejectedValue() + ")" : "";
    }

    private static String kebab(String field) {
        return field.replaceAll("([a-z0-9])([A-Z])", "$1-$2").toLowerCase(java.util.Locale.ROOT);
    }

    @Override
    public int getOrder() {
        return HIGHEST_PRECEDENCE;
    }
}
