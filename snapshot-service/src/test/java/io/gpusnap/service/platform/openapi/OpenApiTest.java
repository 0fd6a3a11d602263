package io.gpusnap.service.platform.openapi;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.ServiceTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;
import tools.jackson.databind.JsonNode;

@ServiceTest
class OpenApiTest {
    private static final Path FOLDER = Path.of(System.getProperty("gpusnap.root", ".."), "openapi");

    @Autowired
    private Api api;

    private JsonNode description(String group) {
        return api.anonymous().get("/v3/api-docs/" + group).expect(200).json();
    }

    private record Call(String path, String method, JsonNode operation) {}

    private static List<Call> calls(JsonNode description) {
        List<Call> calls = new ArrayList<>();
        description
                .path("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .properties()
                        .forEach(method -> calls.add(new Call(path.getKey(), method.getKey(), method.getValue()))));
        return calls;
    }

    @ParameterizedTest
    @ValueSource(strings = {"control-plane", "node"})
    void theCommittedDescriptionIsTheCodes(String group) throws IOException {
        String now =
                api.anonymous().get("/v3/api-docs.yaml/" + group).expect(200).text();
        Path file = FOLDER.resolve(group + ".yaml");
        if (Boolean.getBoolean("gpusnap.openapi.update")) {
            Files.writeString(file, now);
        }

        assertThat(Files.readString(file))
                .as("openapi/%s.yaml differs from the code; -Dgpusnap.openapi.update=true rewrites it", group)
                .isEqualTo(now);
    }

    @ParameterizedTest
    @ValueSource(strings = {"control-plane", "node"})
    void everyCallIsDescribedWithExamplesAndProblems(String group) {
        assertThat(calls(description(group))).isNotEmpty().allSatisfy(call -> {
            String what = call.method() + " " + call.path();
            JsonNode operation = call.operation();
            assertThat(operation.path("summary").asString("")).as(what).isNotBlank();
            assertThat(operation.path("operationId").asString("")).as(what).matches("[a-z][A-Za-z]+");
            if (operation.has("requestBody")) {
                assertThat(operation.at("/requestBody/content/application~1json/examples/example/value"))
                        .as(what + " request example")
                        .isNotEmpty();
            }
            operation.path("responses").properties().forEach(response -> {
                String status = response.getKey();
                JsonNode content = response.getValue().path("content");
                if (status.startsWith("2") && !status.equals("204")) {
                    assertThat(content.at("/application~1json/examples/example/value"))
                            .as(what + " " + status + " example")
                            .isNotEmpty();
                } else if (!status.startsWith("2")) {
                    assertThat(content.has("application/problem+json"))
                            .as(what + " " + status)
                            .isTrue();
                }
            });
            assertThat(operation.path("responses").has("500")).as(what).isTrue();
        });
    }

    @Test
    void createsNeedAKeyAndChangesAnETag() {
        Set<String> withKey = new TreeSet<>();
        Set<String> withETag = new TreeSet<>();
        for (Call call : calls(description("control-plane"))) {
            call.operation().path("parameters").forEach(parameter -> {
                assertThat(parameter.path("required").asBoolean()
                                || parameter.path("in").asString().equals("query"))
                        .isTrue();
                switch (parameter.path("name").asString()) {
                    case "Idempotency-Key" ->
                        withKey.add(call.operation().path("operationId").asString());
                    case "If-Match" ->
                        withETag.add(call.operation().path("operationId").asString());
                    default -> {}
                }
            });
        }

        assertThat(withKey)
                .containsExactly(
                        "createAlias",
                        "createModel",
                        "createPool",
                        "createRestore",
                        "createRollout",
                        "createSnapshot",
                        "createSwitch",
                        "createTierPolicy",
                        "createVersion",
                        "verifySnapshot");
        assertThat(withETag)
                .containsExactly(
                        "abortRollout",
                        "deleteAlias",
                        "deleteModel",
                        "deletePool",
                        "deleteSnapshot",
                        "deleteTierPolicy",
                        "deleteVersion",
                        "patchModel",
                        "patchNode",
                        "patchPool",
                        "patchVersion",
                        "pauseRollout",
                        "promoteAlias",
                        "promoteRollout",
                        "replaceTierPolicy",
                        "retryRollout",
                        "rollBackAlias");
    }

    @Test
    void everyCallButTheExplanationOfErrorsNeedsAToken() {
        JsonNode description = description("control-plane");

        assertThat(description.at("/components/securitySchemes/bearer/scheme").asString())
                .isEqualTo("bearer");
        assertThat(calls(description).stream()
                        .filter(call -> call.operation().path("security").isArray()
                                && call.operation().path("security").isEmpty())
                        .map(Call::path))
                .containsExactly("/errors/{code}");
    }

    @Test
    void noExampleFileIsLeftOver() throws IOException {
        Set<String> known = new TreeSet<>();
        for (String group : List.of("control-plane", "node")) {
            calls(description(group)).forEach(call -> {
                String id = call.operation().path("operationId").asString();
                known.add(id + ".request.json");
                call.operation()
                        .path("responses")
                        .propertyNames()
                        .forEach(status -> known.add(id + "." + status + ".json"));
            });
        }
        for (Resource file :
                new PathMatchingResourcePatternResolver().getResources("classpath:/openapi/examples/*.json")) {
            assertThat(known).contains(file.getFilename());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"control-plane", "node"})
    void theExamplesHaveTheMembersThatTheirSchemasHave(String group) {
        JsonNode description = description(group);
        int checked = 0;
        for (Call call : calls(description)) {
            List<JsonNode> contents = new ArrayList<>();
            contents.add(call.operation().at("/requestBody/content/application~1json"));
            call.operation()
                    .path("responses")
                    .properties()
                    .forEach(response -> contents.add(response.getValue().at("/content/application~1json")));
            for (JsonNode content : contents) {
                JsonNode example = content.at("/examples/example/value");
                if (!example.isMissingNode()) {
                    ExampleShape.check(
                            description,
                            content.path("schema"),
                            example,
                            call.operation().path("operationId").asString());
                    checked++;
                }
            }
        }
        assertThat(checked).isGreaterThan(5);
    }
}
