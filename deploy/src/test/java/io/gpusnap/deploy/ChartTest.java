package io.gpusnap.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.marcnuri.helm.LintResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code -Dgpusnap.chart.update=true} copies the CRDs and the alert rules, and rewrites the golden files. */
class ChartTest {
    private static final Path GOLDEN = Repository.path("deploy", "src", "test", "resources", "golden");
    private static final boolean UPDATE = Boolean.getBoolean("gpusnap.chart.update");

    static Stream<String> sets() {
        return Chart.VALUE_SETS.stream();
    }

    @ParameterizedTest
    @MethodSource("sets")
    void lintFindsNothing(String set, @TempDir Path scratch) throws IOException {
        LintResult lint = Chart.lint(scratch, set);

        assertThat(lint.isFailed()).as(String.valueOf(lint.getMessages())).isFalse();
        assertThat(lint.getMessages())
                .noneMatch(message -> message.contains("[WARNING]") || message.contains("[ERROR]"));
    }

    @ParameterizedTest
    @MethodSource("sets")
    void whatIsRenderedIsTheGoldenFile(String set) throws IOException {
        Path golden = GOLDEN.resolve(set + ".yaml");
        String rendered = Chart.render(set);
        if (UPDATE) {
            Files.writeString(golden, rendered);
        }

        assertThat(rendered)
                .as("%s differs; -Dgpusnap.chart.update=true rewrites it", golden)
                .isEqualTo(Repository.read(golden));
    }

    /** The value sets, and what cannot be in one of them together with what they have. */
    static Stream<Named<String>> renderings() {
        return Stream.concat(
                sets().map(set -> Named.of(set, Chart.render(set))),
                Stream.of(Named.of(
                        "production with the host's driver",
                        Chart.template()
                                .withValuesFile(Chart.values("production"))
                                .set("daemon.gpu.mode", "host")
                                .call())));
    }

    @ParameterizedTest
    @MethodSource("renderings")
    void everyManifestIsWhatKubernetesDescribes(String rendered) {
        List<Map<String, Object>> manifests = Yamls.documents(rendered);

        assertThat(manifests).hasSizeGreaterThan(10).allSatisfy(manifest -> {
            assertThat(Manifests.problems(manifest)).isEmpty();
            assertThat(Yamls.asMap(Yamls.at(manifest, "metadata", "labels")))
                    .as(Manifests.name(manifest))
                    .containsKeys(
                            "app.kubernetes.io/name",
                            "app.kubernetes.io/instance",
                            "app.kubernetes.io/component",
                            "app.kubernetes.io/version",
                            "app.kubernetes.io/part-of",
                            "app.kubernetes.io/managed-by",
                            "helm.sh/chart");
        });
        assertThat(manifests.stream().map(Manifests::name)).doesNotHaveDuplicates();
    }

    @Test
    void theCheckOfManifestsSeesWhatIsWrong() {
        String text = """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: x}
                spec:
                  selector: {matchLabels: {a: b}}
                  template:
                    metadata: {labels: {a: b}}
                    spec:
                      containers: [{name: c, image: i:1, ports: [{containerPort: 1}]}]
                """;
        assertThat(Manifests.problems(Yamls.map(text))).isEmpty();

        for (String[] wrong : new String[][] {
            {"selector: {matchLabels: {a: b}}", "selctor: {matchLabels: {a: b}}"},
            {"  selector: {matchLabels: {a: b}}", ""},
            {"containers: [", "container: ["},
            {"name: c, ", ""},
            {"containerPort: 1", "port: 1"},
            {"image: i:1", "image: i:1, securityContext: {privilegd: true}"},
            {"template:", "replica: 2\n  template:"},
            {"template:", "replicas: two\n  template:"},
            {"template:", "replicas: '2'\n  template:"},
            {"containerPort: 1", "containerPort: x"},
            {"containerPort: 1", "containerPort: 1.5"},
            {"image: i:1", "image: i:1, env: [{name: e, value: 8080}]"},
            {"image: i:1", "image: i:1, securityContext: {privileged: \"yes\"}"},
            {"labels: {a: b}", "labels: {a: true}"},
            {"[{name: c, image: i:1, ports: [{containerPort: 1}]}]", "text"}
        }) {
            assertThat(text).contains(wrong[0]);
            assertThat(Manifests.problems(Yamls.map(text.replace(wrong[0], wrong[1]))))
                    .as(wrong[1])
                    .isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"5", "true", "[b]", "{b: c}"})
    void theCheckOfManifestsSeesDataThatAreNotText(String data) {
        String text = """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: x}
                data: {a: b}
                """;
        assertThat(Manifests.problems(Yamls.map(text))).isEmpty();

        assertThat(Manifests.problems(Yamls.map(text.replace("a: b", "a: " + data))))
                .isNotEmpty();
    }

    @Test
    void theChartsDefinitionsAreTheGeneratedOnes() throws IOException {
        Path source = Repository.path("deploy", "crds");
        Path copies = Chart.FOLDER.resolve("files").resolve("crds");
        List<Path> crds = Repository.files(source, ".yaml");
        if (UPDATE) {
            for (Path crd : crds) {
                Files.writeString(copies.resolve(crd.getFileName()), Files.readString(crd));
            }
        }

        assertThat(Repository.files(copies, "").stream()
                        .map(file -> file.getFileName().toString()))
                .containsExactlyElementsOf(
                        crds.stream().map(file -> file.getFileName().toString()).toList());
        assertThat(crds)
                .isNotEmpty()
                .allSatisfy(crd -> assertThat(Repository.read(copies.resolve(crd.getFileName())))
                        .as("%s; -Dgpusnap.chart.update=true copies it", crd)
                        .isEqualTo(Repository.read(crd)));
    }

    @Test
    void theChartsAlertsAreThoseBesideTheDashboards() throws IOException {
        Path source = Repository.path("deploy", "dashboards", "gpusnap-alerts.yaml");
        Path copy = Chart.FOLDER.resolve("files").resolve("gpusnap-alerts.yaml");
        if (UPDATE) {
            Files.writeString(copy, Files.readString(source));
        }

        assertThat(Repository.read(copy))
                .as("%s; -Dgpusnap.chart.update=true copies it", source)
                .isEqualTo(Repository.read(source));
    }

    @Test
    void theImagesOfTheChartAreThoseOfThisVersion() {
        String version = Repository.read("pom.xml").replaceAll("(?s).*?<version>(.*?)</version>.*", "$1");

        assertThat(Yamls.map(Repository.read(Chart.FOLDER.resolve("Chart.yaml"))))
                .containsEntry("appVersion", version);
        assertThat(Repository.read("deploy", "compose", "compose.yaml")).contains("GPUSNAP_TAG:-" + version + "}");
    }

    @ParameterizedTest
    @MethodSource("sets")
    void anUninstallLeavesWhatCannotBeMadeAgain(String set) {
        assertThat(Yamls.documents(Chart.render(set)).stream()
                        .filter(manifest -> List.of("CustomResourceDefinition", "PersistentVolumeClaim", "Secret")
                                .contains(manifest.get("kind"))))
                .isNotEmpty()
                .allSatisfy(manifest -> assertThat(Yamls.asMap(Yamls.at(manifest, "metadata", "annotations")))
                        .as(Manifests.name(manifest))
                        // a hook's object belongs to no release
                        .containsAnyOf(
                                Map.entry("helm.sh/resource-policy", "keep"),
                                Map.entry("helm.sh/hook", "pre-install")));
    }

    @ParameterizedTest(name = "{0}={1}")
    @CsvSource({
        "service.replica, 3",
        "service.replicas, 0",
        "service.image.tag, latest",
        "daemon.gpu.mode, magic",
        "daemon.paths.memory, /var/lib/pool",
        "daemon.poolBytes, much",
        "daemon.keys.provider, magic",
        "daemon.keys.tenant, two words",
        "daemon.keys.vault.address, http://vault.example.com",
        "database.url, postgres://x",
        "database.embedded.enabled, true",
        "scaler.port, 70000"
    })
    void valuesThatCannotBeRightAreRefused(String name, String value) {
        assertThatThrownBy(() -> Chart.template()
                        .withValuesFile(Chart.values("default"))
                        .set(name, value)
                        .call())
                .hasMessageContaining("values don't meet the specifications of the schema");
    }

    @ParameterizedTest(name = "{0}={1}")
    @CsvSource({
        "daemon.keys.provider, file, keySecret",
        "daemon.keys.provider, vault, tokenSecret",
        "daemon.keys.keySecret, keys, provider",
        "daemon.keys.encryptNvme, true, provider"
    })
    void keysWithoutWhatTheyNeedAreRefused(String name, String value, String lacking) {
        assertThatThrownBy(() -> Chart.template()
                        .withValuesFile(Chart.values("default"))
                        .set(name, value)
                        .call())
                .hasMessageContaining("daemon.keys")
                .hasMessageContaining(lacking);
    }

    @Test
    void aDatabaseHasToBeNamed() {
        assertThatThrownBy(() -> Chart.template().call())
                .hasMessageContaining("values don't meet the specifications of the schema")
                .hasMessageContaining("database");
    }
}
