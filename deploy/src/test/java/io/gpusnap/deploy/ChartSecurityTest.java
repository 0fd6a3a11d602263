package io.gpusnap.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What may do how much. */
class ChartSecurityTest {
    static Stream<String> sets() {
        return Chart.VALUE_SETS.stream();
    }

    private static List<Map<String, Object>> of(String set, String... kinds) {
        return Yamls.documents(Chart.render(set)).stream()
                .filter(manifest -> Set.of(kinds).contains(manifest.get("kind")))
                .toList();
    }

    private static Map<String, Object> pod(Map<String, Object> workload) {
        return Yamls.asMap(Yamls.at(workload, "spec", "template", "spec"));
    }

    private static List<Map<String, Object>> containers(Map<String, Object> pod) {
        List<Map<String, Object>> all = new ArrayList<>(Yamls.maps(pod.get("initContainers")));
        all.addAll(Yamls.maps(pod.get("containers")));
        return all;
    }

    @ParameterizedTest
    @MethodSource("sets")
    void onlyTheDaemonsContainerIsPrivileged(String set) {
        List<String> privileged = new ArrayList<>();
        for (Map<String, Object> workload : of(set, "Deployment", "DaemonSet")) {
            for (Map<String, Object> container : containers(pod(workload))) {
                Map<String, Object> security = Yamls.asMap(container.get("securityContext"));
                assertThat(security.get("readOnlyRootFilesystem")).isEqualTo(true);
                if (Boolean.TRUE.equals(security.get("privileged"))) {
                    privileged.add(workload.get("kind") + "/" + container.get("name"));
                } else {
                    assertThat(security)
                            .containsEntry("allowPrivilegeEscalation", false)
                            .containsEntry("capabilities", Map.of("drop", List.of("ALL")));
                }
            }
        }

        assertThat(privileged).containsExactly("DaemonSet/daemon");
    }

    @ParameterizedTest
    @MethodSource("sets")
    void theServiceIsNobodyAndReadsNoHost(String set) {
        Map<String, Object> pod = pod(of(set, "Deployment").getFirst());

        assertThat(Yamls.asMap(pod.get("securityContext")))
                .containsEntry("runAsNonRoot", true)
                .containsEntry("runAsUser", 65532);
        assertThat(pod).doesNotContainKeys("hostPID", "hostNetwork", "hostIPC");
        assertThat(Yamls.maps(pod.get("volumes"))).noneMatch(volume -> volume.containsKey("hostPath"));
    }

    @ParameterizedTest
    @MethodSource("sets")
    void theDaemonSeesTheNodesProcessesAndHasNoTokenOfTheCluster(String set) {
        Map<String, Object> pod = pod(of(set, "DaemonSet").getFirst());

        assertThat(pod)
                .containsEntry("hostPID", true)
                .containsEntry("automountServiceAccountToken", false)
                .doesNotContainKeys("hostNetwork", "hostIPC");
        // the daemon refuses a pool whose folder others can write to
        assertThat(Yamls.maps(pod.get("volumes")).stream()
                        .filter(volume -> volume.get("name").equals("memory")))
                .singleElement()
                .satisfies(volume ->
                        assertThat(Yamls.at(volume, "hostPath", "path")).isEqualTo("/dev/shm/gpusnap"));
        assertThat(of(set, "ClusterRoleBinding", "RoleBinding"))
                .allSatisfy(binding ->
                        assertThat(String.valueOf(binding.get("subjects"))).doesNotContain("daemon"));
    }

    @ParameterizedTest
    @MethodSource("sets")
    void everyContainerSaysWhatItNeedsAndEveryImageWhichOneItIs(String set) {
        for (Map<String, Object> workload : of(set, "Deployment", "DaemonSet")) {
            assertThat(containers(pod(workload))).allSatisfy(container -> {
                assertThat(Yamls.asMap(Yamls.at(container, "resources", "requests")))
                        .containsKeys("cpu", "memory");
                assertThat(String.valueOf(container.get("image")))
                        .matches(".+(:[0-9][^:/]*|@sha256:[0-9a-f]{64})")
                        .doesNotEndWith(":latest");
            });
        }
    }

    @ParameterizedTest
    @MethodSource("sets")
    void aPodNeverWaitsForTheWebhook(String set) {
        Map<String, Object> webhook = Yamls.maps(
                        of(set, "MutatingWebhookConfiguration").getFirst().get("webhooks"))
                .getFirst();

        assertThat(webhook)
                .containsEntry("failurePolicy", "Ignore")
                .containsEntry("objectSelector", Map.of("matchLabels", Map.of("gpusnap.io/managed", "true")));
        assertThat(Yamls.asMap(webhook.get("clientConfig"))).doesNotContainKey("caBundle");
    }

    @Test
    void noSecretIsInAConfigMapOrAnEnvironment() {
        for (Map<String, Object> map : of("production", "ConfigMap")) {
            assertThat(String.valueOf(map.get("data"))).doesNotContainIgnoringCase("password");
        }
        assertThat(containers(pod(of("production", "Deployment").getFirst()))
                        .getLast()
                        .get("env"))
                .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.list(Object.class))
                .filteredOn(variable -> String.valueOf(variable).contains("PASSWORD"))
                .singleElement()
                .satisfies(variable -> assertThat(Yamls.asMap(variable)).containsKey("valueFrom"));
    }

    @Test
    void severalReplicasAreSpreadAndMayGoOneByOne() {
        Map<String, Object> deployment = of("default", "Deployment").getFirst();

        assertThat(Yamls.at(deployment, "spec", "replicas")).isEqualTo(2);
        assertThat(Yamls.maps(pod(deployment).get("topologySpreadConstraints"))).hasSize(2);
        assertThat(Yamls.at(of("default", "PodDisruptionBudget").getFirst(), "spec", "maxUnavailable"))
                .isEqualTo(1);
        assertThat(of("kind", "PodDisruptionBudget")).isEmpty();
    }
}
