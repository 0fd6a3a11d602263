package io.gpusnap.service.kubernetes.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.testing.ClusterUnderTest;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

@KubernetesTest
class WebhookTest {
    private static final String PATH = "/mutate-pods";

    @Autowired
    private WebhookServer server;

    @Autowired
    private InstalledWebhook installed;

    @Autowired
    private KubernetesSettings settings;

    @Autowired
    private CertificateStore certificates;

    @Autowired
    private Admission admission;

    private final KubernetesClient client = ClusterUnderTest.client();

    @BeforeEach
    void givenAnInstalledWebhook() {
        installed.install();
    }

    private String bundle() {
        return installed.get().getWebhooks().getFirst().getClientConfig().getCaBundle();
    }

    /** As PEM. */
    private String authorities() {
        return new String(Base64.getDecoder().decode(bundle()), StandardCharsets.US_ASCII);
    }

    private String url(String path) {
        return url(server, path);
    }

    private static String url(WebhookServer server, String path) {
        return "https://127.0.0.1:" + Objects.requireNonNull(server.address()).getPort() + path;
    }

    private Secret secret() {
        return client.secrets()
                .inNamespace(ClusterUnderTest.SYSTEM)
                .withName(settings.webhook().secret())
                .get();
    }

    private static String text(Secret secret, String name) {
        return new String(Base64.getDecoder().decode(secret.getData().get(name)), StandardCharsets.US_ASCII);
    }

    @Test
    void theAuthorityIsWrittenWhereTheApiServerLooks() {
        assertThat(authorities()).isEqualTo(text(secret(), "ca.crt"));
        assertThat(text(secret(), "ca.crt")).startsWith("-----BEGIN CERTIFICATE-----");
    }

    @Test
    void whatIsNoPodOfOursIsLetThrough() throws IOException {
        String review = client.getKubernetesSerialization()
                .asJson(Map.of(
                        "apiVersion", "admission.k8s.io/v1",
                        "kind", "AdmissionReview",
                        "request",
                                Map.of(
                                        "uid",
                                        "42",
                                        "operation",
                                        "CREATE",
                                        "kind",
                                        Map.of("group", "", "version", "v1", "kind", "Secret"),
                                        "object",
                                        Map.of("apiVersion", "v1", "kind", "Secret"))));

        String answer = Kubelet.post(url(PATH), bundle(), review);

        assertThat(answer).contains("\"allowed\":true", "\"uid\":\"42\"").doesNotContain("patch");
    }

    @Test
    void nonsenseIsRefusedAndTheListenerLivesOn() throws IOException {
        assertThat(Kubelet.post(url(PATH), bundle(), "{")).isEmpty();
        assertThat(Kubelet.post(url(PATH), bundle(), "{}")).isEmpty();
        assertThat(Kubelet.post(url("/other"), bundle(), "{}")).contains("404");

        whatIsNoPodOfOursIsLetThrough();
    }

    @Test
    void aCertificateThatEndsSoonIsRenewedWithoutARestart() throws IOException {
        // given one that ends within the time before which it is renewed
        String before = bundle();
        KeyPairAndChain ending = Certificates.issue(List.of("127.0.0.1"), Duration.ofHours(1), Instant.now());
        Secret secret = secret();
        secret.setData(Map.of(
                "tls.key", base64(Certificates.pem(ending.key())),
                "tls.crt", base64(Certificates.pem(ending.certificate())),
                "ca.crt", base64(Certificates.pem(ending.authority()))));
        client.resource(secret).update();

        // when
        assertThat(server.renew()).isTrue();

        // then callers have to trust the new one, on the same port
        assertThat(bundle()).isNotEqualTo(before);
        assertThatThrownBy(() -> Kubelet.post(url(PATH), before, "{}")).isInstanceOf(IOException.class);
        assertThat(Kubelet.post(url(PATH), bundle(), "{")).isEmpty();

        // and the next look changes nothing
        String after = secret().getMetadata().getResourceVersion();
        assertThat(server.renew()).isTrue();
        assertThat(secret().getMetadata().getResourceVersion()).isEqualTo(after);
    }

    @Test
    void anInstanceThatHasNotHeardOfANewCertificateIsStillTrusted() throws IOException {
        // given two that serve with one certificate
        WebhookServer other = new WebhookServer(settings, certificates, admission);
        try {
            assertThat(other.renew()).isTrue();
            String before = authorities();

            // when one of them makes another certificate
            client.resource(secret()).delete();
            assertThat(server.renew()).isTrue();

            // then the API server can ask both
            assertThat(authorities()).isNotEqualTo(before).endsWith(before);
            assertThat(Kubelet.post(url(PATH), bundle(), "{")).isEmpty();
            assertThat(Kubelet.post(url(other, PATH), bundle(), "{")).isEmpty();

            // and goes on to, when the other has looked
            String after = bundle();
            assertThat(other.renew()).isTrue();
            assertThat(bundle()).isEqualTo(after);
            assertThat(Kubelet.post(url(other, PATH), bundle(), "{")).isEmpty();
        } finally {
            other.stop();
        }
    }

    @Test
    void aSecretThatCannotBeReadIsReplaced() {
        Secret secret = secret();
        secret.setData(Map.of(
                "tls.key", base64(new byte[] {1}), "tls.crt", base64(new byte[] {2}), "ca.crt", base64(new byte[] {3
                })));
        client.resource(secret).update();

        assertThat(server.renew()).isTrue();

        assertThat(text(secret(), "tls.crt")).startsWith("-----BEGIN CERTIFICATE-----");
        await().atMost(Duration.ofMinutes(1)).until(() -> authorities().startsWith(text(secret(), "ca.crt")));
    }

    @Test
    void withoutAnOperatorNothingIsGated() {
        Pod pod = Kubelet.pod("ns", "one", "llm", "llm@sha256:1");

        List<String> warnings = new PodMutation(settings.webhook()).apply(pod, false);

        assertThat(warnings).singleElement().asString().contains("starts cold");
        assertThat(pod.getSpec().getSchedulingGates()).isEmpty();
        assertThat(pod.getSpec().getContainers().getFirst().getCommand()).containsExactly("cuda-server");
        assertThat(pod.getSpec().getContainers().getFirst().getEnv())
                .anyMatch(variable -> variable.getName().equals("LD_PRELOAD"));
    }

    @Test
    void aPodIsChangedOnceOnly() {
        Pod pod = Kubelet.pod("ns", "one", "llm", "llm@sha256:1");
        PodMutation mutation = new PodMutation(settings.webhook());
        mutation.apply(pod, true);
        String once = client.getKubernetesSerialization().asJson(pod);

        mutation.apply(pod, true);

        assertThat(client.getKubernetesSerialization().asJson(pod)).isEqualTo(once);
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
