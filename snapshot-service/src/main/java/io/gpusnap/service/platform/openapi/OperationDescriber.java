package io.gpusnap.service.platform.openapi;

import io.gpusnap.service.platform.idempotency.IdempotencyKey;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.Problem;
import io.gpusnap.service.platform.web.IfMatch;
import io.swagger.v3.core.converter.ModelConverters;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.parameters.HeaderParameter;
import io.swagger.v3.oas.models.responses.ApiResponse;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.springdoc.core.customizers.OperationCustomizer;
import org.springframework.core.MethodParameter;
import org.springframework.stereotype.Component;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.method.HandlerMethod;

/**
 * Declares what follows from a controller method's parameters: the headers that {@link IfMatch} and
 * {@link IdempotencyKey} read, and the problems that each kind of parameter can lead to.
 */
@Component
class OperationDescriber implements OperationCustomizer {
    @Override
    public Operation customize(Operation operation, HandlerMethod handler) {
        Set<ErrorCode> problems = EnumSet.of(ErrorCode.INTERNAL, ErrorCode.DATABASE_UNAVAILABLE);
        if (operation.getSecurity() == null || !operation.getSecurity().isEmpty()) {
            problems.add(ErrorCode.UNAUTHENTICATED);
            problems.add(ErrorCode.FORBIDDEN);
        }
        for (MethodParameter parameter : handler.getMethodParameters()) {
            describe(operation, parameter, problems);
        }
        addProblems(operation, problems);
        return operation;
    }

    private static void describe(Operation operation, MethodParameter parameter, Set<ErrorCode> problems) {
        if (parameter.getParameterType().equals(IfMatch.class)) {
            operation.addParametersItem(header("If-Match", "ETag of the representation that was read", "\"3\""));
            problems.addAll(Set.of(ErrorCode.PRECONDITION_FAILED, ErrorCode.PRECONDITION_REQUIRED));
        }
        if (parameter.getParameterType().equals(IdempotencyKey.class)) {
            operation.addParametersItem(header(
                    "Idempotency-Key",
                    "A quoted string; the same key with the same request gets the first answer again",
                    "\"7f1c0b62-3c1f-4d0e-9a51-6b7a8d3c2e10\""));
            problems.addAll(Set.of(
                    ErrorCode.INVALID_REQUEST, ErrorCode.IDEMPOTENCY_IN_FLIGHT, ErrorCode.IDEMPOTENCY_KEY_REUSED));
        }
        if (parameter.hasParameterAnnotation(RequestBody.class)) {
            problems.addAll(
                    Set.of(ErrorCode.INVALID_REQUEST, ErrorCode.PAYLOAD_TOO_LARGE, ErrorCode.UNSUPPORTED_MEDIA_TYPE));
        }
        if (parameter.hasParameterAnnotation(RequestParam.class)) {
            problems.add(ErrorCode.INVALID_REQUEST);
        }
        if (parameter.hasParameterAnnotation(PathVariable.class)) {
            problems.addAll(Set.of(ErrorCode.INVALID_REQUEST, ErrorCode.NOT_FOUND));
        }
    }

    private static HeaderParameter header(String name, String description, String example) {
        HeaderParameter header = new HeaderParameter();
        header.name(name)
                .required(true)
                .description(description)
                .schema(new StringSchema())
                .example(example);
        return header;
    }

    private static void addProblems(Operation operation, Set<ErrorCode> problems) {
        problems.stream()
                .collect(Collectors.groupingBy(code -> code.status().value()))
                .forEach((status, codes) -> {
                    String key = String.valueOf(status);
                    ApiResponse declared = operation.getResponses().get(key);
                    String description = declared == null || declared.getDescription() == null
                            ? codes.stream()
                                    .map(ErrorCode::title)
                                    .distinct()
                                    .sorted()
                                    .collect(Collectors.joining("; "))
                            : declared.getDescription();
                    operation
                            .getResponses()
                            .addApiResponse(
                                    key,
                                    new ApiResponse().description(description).content(problem()));
                });
        // Declared by a controller with a description only: they are problems too.
        operation.getResponses().forEach((status, response) -> {
            if (status.startsWith("4") || status.startsWith("5")) {
                response.content(problem());
            }
        });
    }

    private static Content problem() {
        return new Content()
                .addMediaType(
                        "application/problem+json",
                        new MediaType().schema(new Schema<>().$ref("#/components/schemas/Problem")));
    }

    /** The schema that {@link #problem()} refers to. */
    static void addSchemas(io.swagger.v3.oas.models.OpenAPI api) {
        ModelConverters.getInstance(true)
                .readAll(Problem.class)
                .forEach((name, schema) -> api.getComponents().addSchemas(name, schema));
    }
}
