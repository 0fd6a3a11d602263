package io.gpusnap.service.kubernetes.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The roles that the chart gives to the service allow what it calls, and nothing else. The chart's own tests keep the golden files. */
class ChartRolesTest {
    private static final Path GOLDEN =
            Path.of(System.getProperty("gpusnap.root", ".."), "deploy", "src", "test", "resources", "golden");

    private static Stream<Map<?, ?>> manifests(String set, String kind) throws IOException {
        Iterable<Object> documents = new Yaml(new SafeConstructor(new LoaderOptions()))
                .loadAll(Files.readString(GOLDEN.resolve(set + ".yaml")));
        return StreamSupport.stream(documents.spliterator(), false)
                .filter(Map.class::isInstance)
                .<Map<?, ?>>map(document -> (Map<?, ?>) document)
                .filter(document -> kind.equals(document.get("kind")));
    }

    /** As verb, group and resource; with the one name that a rule may be bound to. */
    private static TreeSet<String> allowed(String set, String kind) throws IOException {
        TreeSet<String> calls = new TreeSet<>();
        manifests(set, kind)
                .filter(role -> "gpusnap-service".equals(((Map<?, ?>) role.get("metadata")).get("name")))
                .forEach(role -> {
                    for (Object rule : (List<?>) role.get("rules")) {
                        Map<?, ?> parts = (Map<?, ?>) rule;
                        for (Object verb : (List<?>) parts.get("verbs")) {
                            for (Object group : (List<?>) parts.get("apiGroups")) {
                                for (Object resource : (List<?>) parts.get("resources")) {
                                    calls.add(verb + " " + group + "/" + resource);
                                }
                            }
                        }
                    }
                });
        return calls;
    }

    /** Archives of the shared tier are wanted in one of the sets only. */
    private static TreeSet<String> made(String set, boolean inOwnNamespace) {
        TreeSet<String> calls = new TreeSet<>();
        Arrays.stream(KubernetesCalls.values())
                .filter(call -> call.inOwnNamespace() == inOwnNamespace)
                .filter(call -> !call.archives() || "production".equals(set))
                .forEach(call -> calls.add(call.verb() + " " + call.group() + "/" + call.resource()));
        return calls;
    }

    @ParameterizedTest
    @ValueSource(strings = {"default", "production", "kind"})
    void theClustersRoleIsWhatTheServiceCalls(String set) throws IOException {
        assertThat(allowed(set, "ClusterRole")).isEqualTo(made(set, false));
    }

    @ParameterizedTest
    @ValueSource(strings = {"default", "production", "kind"})
    void theNamespacesRoleIsWhatItCallsThere(String set) throws IOException {
        assertThat(allowed(set, "Role")).isEqualTo(made(set, true));
    }

    /** Of its settings for the webhook, which the chart gives to it. */
    private static Map<?, ?> webhook(String set) throws IOException {
        Map<?, ?> settings = manifests(set, "ConfigMap")
                .map(map -> (Map<?, ?>) map.get("data"))
                .filter(data -> data.containsKey("application.yaml"))
                .findFirst()
                .<Map<?, ?>>map(data ->
                        new Yaml(new SafeConstructor(new LoaderOptions())).load((String) data.get("application.yaml")))
                .orElseThrow();
        for (String part : List.of("gpusnap", "kubernetes", "webhook")) {
            settings = (Map<?, ?>) settings.get(part);
        }
        return settings;
    }

    @ParameterizedTest
    @ValueSource(strings = {"default", "production", "kind"})
    void whatARuleIsBoundToIsWhatTheServiceIsToldToUse(String set) throws IOException {
        Map<Object, Object> bound = new HashMap<>();
        for (String kind : List.of("ClusterRole", "Role")) {
            manifests(set, kind)
                    .flatMap(role -> ((List<?>) role.get("rules")).stream())
                    .map(rule -> (Map<?, ?>) rule)
                    .filter(rule -> rule.containsKey("resourceNames"))
                    .forEach(rule -> bound.put(rule.get("resources"), rule.get("resourceNames")));
        }
        assertThat(bound)
                .isEqualTo(Map.of(
                        List.of("secrets"),
                        List.of(webhook(set).get("secret")),
                        List.of("mutatingwebhookconfigurations"),
                        List.of(webhook(set).get("configuration"))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"default", "production", "kind"})
    void nobodyElseHasARole(String set) throws IOException {
        assertThat(Stream.concat(manifests(set, "ClusterRoleBinding"), manifests(set, "RoleBinding")))
                .hasSize(2)
                .allSatisfy(binding -> assertThat(binding.get("subjects"))
                        .isEqualTo(List.of(Map.of(
                                "kind", "ServiceAccount", "name", "gpusnap-service", "namespace", "gpusnap-system"))));
    }
}
