package io.gpusnap.service.kubernetes.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.kubernetes.start.PodNames;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PoliciesTest {
    private static final Container SERVER = new ContainerBuilder()
            .withName("server")
            .withImage("registry.example.com:5000/ml/vllm:v0.6")
            .withCommand("vllm", "serve")
            .withArgs("--model", "a")
            .addNewEnv()
            .withName("LOG_LEVEL")
            .withValue("info")
            .endEnv()
            .build();

    private static SnapshotPolicySpec policy(@Nullable String version) {
        return Given.plain(
                new LabelSelectorBuilder().addToMatchLabels("app", "llm").build(), "llm", version, null);
    }

    private static String version(UnaryOperator<ContainerBuilder> edit) {
        return Policies.version(
                policy(null), edit.apply(new ContainerBuilder(SERVER)).build());
    }

    @Test
    void aVersionIsNamedAfterTheImageAndWhatItIsToldToRun() {
        String version = version(server -> server);

        assertThat(version).matches("v0-6-[0-9a-f]{8}");
        assertThat(version(server -> server)).isEqualTo(version);
        assertThat(version(server -> server.withImage("vllm@sha256:0123456789abcdef")))
                .isEqualTo("sha256-0123456789ab" + version.substring("v0-6".length()));
        assertThat(version(server -> server.withImage("vllm:" + "x".repeat(120))))
                .hasSize(63);
    }

    @Test
    void whoeverIsToldToRunSomethingElseIsAnotherVersion() {
        assertThat(List.of(
                        version(server -> server),
                        version(server -> server.withArgs("--model", "b")),
                        version(server -> server.withCommand("vllm", "bench")),
                        version(server -> server.withWorkingDir("/srv")),
                        version(server ->
                                server.editFirstEnv().withValue("debug").endEnv()),
                        version(server -> server.addNewEnvFrom()
                                .withNewConfigMapRef("settings", false)
                                .endEnvFrom())))
                .doesNotHaveDuplicates();
    }

    @Test
    void whatTheWebhookAddsMakesNoOtherVersion() {
        assertThat(version(server -> server.withCommand("/opt/gpusnap/gpusnap-placeholder", "--", "vllm", "serve")
                        .addNewEnv()
                        .withName("LD_PRELOAD")
                        .withValue("/opt/gpusnap/libgpusnap-preload.so")
                        .endEnv()
                        .addNewEnv()
                        .withName(PodNames.WORKLOAD_VARIABLE)
                        .withNewValueFrom()
                        .withNewFieldRef("v1", "metadata.uid")
                        .endValueFrom()
                        .endEnv()
                        .addNewEnv()
                        .withName(PodNames.SOCKET_VARIABLE)
                        .withValue("/run/gpusnap")
                        .endEnv()))
                .isEqualTo(version(server -> server));
        assertThat(version(server -> server.addNewEnv()
                        .withName("LD_PRELOAD")
                        .withValue("/opt/gpusnap/libgpusnap-preload.so:libjemalloc.so")
                        .endEnv()))
                .isEqualTo(version(server -> server.addNewEnv()
                        .withName("LD_PRELOAD")
                        .withValue("libjemalloc.so")
                        .endEnv()))
                .isNotEqualTo(version(server -> server));
    }

    @Test
    void aPolicyThatNamesAVersionIsTakenAtItsWord() {
        assertThat(Policies.version(policy("v1"), SERVER)).isEqualTo("v1");
    }
}
