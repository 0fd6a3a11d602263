package io.gpusnap.service.kubernetes.crd;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code src/test/resources/kubernetes/<kind>/valid-*.yaml} pass, {@code invalid-*.yaml} fail with what their first line
 * expects. A file of two documents is an update from the first to the second.
 */
class CrdExamplesTest {
    static final Path FOLDER = Path.of(System.getProperty("gpusnap.root", ".."))
            .resolve("snapshot-service/src/test/resources/kubernetes");
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String EXPECT = "# expect: ";

    static List<Path> valid() throws IOException {
        return examples("valid-");
    }

    static List<Path> invalid() throws IOException {
        return examples("invalid-");
    }

    static List<Path> examples(String prefix) throws IOException {
        try (Stream<Path> files = Files.walk(FOLDER)) {
            return files.filter(file -> file.getFileName().toString().startsWith(prefix))
                    .sorted()
                    .toList();
        }
    }

    /** The documents of a file. */
    static List<JsonNode> documents(Path file) throws IOException {
        return Stream.of(Files.readString(file).split("(?m)^---$", -1))
                .map(text -> JSON.valueToTree(Serialization.unmarshal(text, Map.class)))
                .map(JsonNode.class::cast)
                .toList();
    }

    static String expected(Path file) throws IOException {
        String first = Files.readAllLines(file).getFirst();
        assertThat(first).startsWith(EXPECT);
        return first.substring(EXPECT.length());
    }

    private static CustomResourceDefinition crdOf(Path file) throws IOException {
        return crds().get(file.getParent().getFileName().toString());
    }

    /** By singular name. */
    static Map<String, CustomResourceDefinition> crds() throws IOException {
        try (Stream<Path> files = Files.list(CrdFilesTest.FOLDER)) {
            return files.map(file -> Serialization.unmarshal(read(file), CustomResourceDefinition.class))
                    .collect(Collectors.toMap(crd -> crd.getSpec().getNames().getSingular(), crd -> crd));
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static List<String> errors(Path file) throws IOException {
        List<JsonNode> documents = documents(file);
        if (documents.size() == 1) {
            return CrdRules.errors(crdOf(file), documents.getFirst(), null);
        }
        assertThat(CrdRules.errors(crdOf(file), documents.getFirst(), null)).isEmpty();
        return CrdRules.errors(crdOf(file), documents.get(1), documents.getFirst());
    }

    @ParameterizedTest
    @MethodSource("valid")
    void validOnesPass(Path file) throws IOException {
        assertThat(errors(file)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("invalid")
    void invalidOnesFailForTheirReason(Path file) throws IOException {
        assertThat(errors(file)).singleElement().asString().contains(expected(file));
    }

    @Test
    void everyRuleIsBrokenByAnExample() throws IOException {
        List<String> expected = invalid().stream()
                .map(file -> {
                    try {
                        return expected(file);
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                })
                .toList();

        assertThat(crds().values().stream().flatMap(crd -> messages(JSON.valueToTree(crd))))
                .isNotEmpty()
                .allSatisfy(message -> assertThat(expected).anyMatch(message::contains));
    }

    private static Stream<String> messages(JsonNode schema) {
        return schema.findValues("x-kubernetes-validations").stream()
                .flatMap(rules -> rules.valueStream())
                .map(rule -> rule.path("message").asString());
    }
}
