package io.gpusnap.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ExamplesTest {
    /** What the service knows of a trigger's metadata: ScalerQuery. */
    private static final Set<String> METADATA =
            Set.of("scalerAddress", "model", "signal", "target", "activation", "aheadMinutes", "quantile");

    static Stream<Path> examples() {
        return Repository.files(Repository.path("deploy", "examples"), ".yaml").stream();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void everyManifestIsWhatItsSchemaSays(Path example) {
        assertThat(Yamls.documents(Repository.read(example)))
                .isNotEmpty()
                .allSatisfy(manifest -> assertThat(Manifests.problems(manifest)).isEmpty());
    }

    @Test
    void manifestsOfTheWalkThroughAreWhatTheirSchemasSay() {
        List<MatchResult> manifests = Pattern.compile("<<EOF\n(.*?)\nEOF\n", Pattern.DOTALL)
                .matcher(Repository.read("docs", "kubernetes.md"))
                .results()
                .toList();

        assertThat(manifests)
                .isNotEmpty()
                .allSatisfy(manifest -> assertThat(Manifests.problems(Yamls.map(manifest.group(1))))
                        .isEmpty());
    }

    @Test
    void triggersAskWhatTheScalerAnswersWhereTheChartPutsIt() {
        Map<String, Object> service = Yamls.documents(Chart.render("production")).stream()
                .filter(manifest -> Manifests.name(manifest).equals("v1/Service gpusnap"))
                .findFirst()
                .orElseThrow();
        Set<String> addresses = new TreeSet<>();
        for (Map<String, Object> port : Yamls.maps(Yamls.at(service, "spec", "ports"))) {
            addresses.add("gpusnap.gpusnap-system.svc:" + port.get("port"));
        }
        Map<String, Object> scaled = Yamls.documents(
                        Repository.read("deploy", "examples", "keda", "external-push.yaml"))
                .getFirst();

        assertThat(Yamls.maps(Yamls.at(scaled, "spec", "triggers")))
                .isNotEmpty()
                .allSatisfy(trigger -> {
                    Map<String, Object> metadata = Yamls.asMap(trigger.get("metadata"));
                    assertThat(METADATA).containsAll(metadata.keySet());
                    assertThat(addresses).contains(String.valueOf(metadata.get("scalerAddress")));
                });
    }
}
