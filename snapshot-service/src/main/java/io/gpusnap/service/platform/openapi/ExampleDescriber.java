package io.gpusnap.service.platform.openapi;

import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.examples.Example;
import io.swagger.v3.oas.models.media.MediaType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import org.springdoc.core.customizers.OperationCustomizer;
import org.springframework.stereotype.Component;
import org.springframework.web.method.HandlerMethod;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/**
 * Adds the example bodies: {@code openapi/examples/<operationId>.request.json} and
 * {@code openapi/examples/<operationId>.<status>.json} on the class path. A test sees to it that every call has its own.
 */
@Component
class ExampleDescriber implements OperationCustomizer {
    private static final String FOLDER = "/openapi/examples/";

    private final ObjectMapper json;

    ExampleDescriber(JsonMapper json) {
        this.json = json;
    }

    @Override
    public Operation customize(Operation operation, HandlerMethod handler) {
        if (operation.getRequestBody() != null) {
            read(operation.getOperationId() + ".request")
                    .ifPresent(example ->
                            operation.getRequestBody().getContent().values().forEach(media -> add(media, example)));
        }
        operation.getResponses().forEach((status, response) -> {
            if (response.getContent() != null && status.startsWith("2")) {
                read(operation.getOperationId() + "." + status)
                        .ifPresent(example -> response.getContent().values().forEach(media -> add(media, example)));
            }
        });
        return operation;
    }

    private static void add(MediaType media, Object example) {
        media.addExamples("example", new Example().value(example));
    }

    private Optional<Object> read(String name) {
        try (InputStream in = ExampleDescriber.class.getResourceAsStream(FOLDER + name + ".json")) {
            return in == null ? Optional.empty() : Optional.of(json.readValue(in, Object.class));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
