package io.gpusnap.service.kubernetes.admission;

import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.RuleWithOperationsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.testing.ClusterUnderTest;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import org.springframework.boot.test.context.TestComponent;

/** The service's webhook, made known to the API server as the chart does it; by address, since there is no Service here. */
@TestComponent
public final class InstalledWebhook {
    private final WebhookServer server;
    private final KubernetesClient client = ClusterUnderTest.client();

    InstalledWebhook(WebhookServer server) {
        this.server = server;
    }

    /** Waits for the listener, registers it, and has it write its authority. */
    public InstalledWebhook install() {
        await().atMost(Duration.ofMinutes(1)).until(() -> server.address() != null);
        pointTo(Objects.requireNonNull(server.address()));
        server.renew();
        hasHeard(true);
        return this;
    }

    /** Nobody listens there. */
    public void breakIt() {
        client.resource(new MutatingWebhookConfigurationBuilder(get())
                        .editFirstWebhook()
                        .editClientConfig()
                        .withUrl("https://127.0.0.1:1/mutate-pods")
                        .endClientConfig()
                        .endWebhook()
                        .build())
                .update();
        hasHeard(false);
    }

    /** A real API server asks whom it asked before for a moment more. */
    private void hasHeard(boolean answers) {
        if (ClusterUnderTest.REAL) {
            await().atMost(Duration.ofMinutes(1)).until(() -> isPrepared() == answers);
        }
    }

    private boolean isPrepared() {
        return client
                .resource(Kubelet.pod(ClusterUnderTest.SYSTEM, "probe", "probe", "probe:1"))
                .dryRun()
                .create()
                .getSpec()
                .getContainers()
                .getFirst()
                .getEnv()
                .stream()
                .anyMatch(variable -> PodNames.WORKLOAD_VARIABLE.equals(variable.getName()));
    }

    /** The certificate ends, and another one is made. */
    public void expire() {
        KeyPairAndChain ending = Certificates.issue(List.of("127.0.0.1"), Duration.ofMinutes(1), Instant.now());
        client.secrets()
                .inNamespace(ClusterUnderTest.SYSTEM)
                .withName("gpusnap-webhook-tls")
                .edit(secret -> new SecretBuilder(secret)
                        .addToData(
                                "tls.crt", Base64.getEncoder().encodeToString(Certificates.pem(ending.certificate())))
                        .build());
        server.renew();
    }

    MutatingWebhookConfiguration get() {
        return client.admissionRegistration()
                .v1()
                .mutatingWebhookConfigurations()
                .withName(ClusterUnderTest.WEBHOOK)
                .get();
    }

    private void pointTo(InetSocketAddress address) {
        MutatingWebhookConfiguration configuration = new MutatingWebhookConfigurationBuilder()
                .withNewMetadata()
                .withName(ClusterUnderTest.WEBHOOK)
                .endMetadata()
                .withWebhooks(new MutatingWebhookBuilder()
                        .withName("pods.gpusnap.io")
                        .withNewClientConfig()
                        .withUrl("https://127.0.0.1:" + address.getPort() + "/mutate-pods")
                        .endClientConfig()
                        .withRules(new RuleWithOperationsBuilder()
                                .withApiGroups("")
                                .withApiVersions("v1")
                                .withResources("pods")
                                .withOperations("CREATE")
                                .build())
                        .withObjectSelector(new LabelSelectorBuilder()
                                .addToMatchLabels("gpusnap.io/managed", "true")
                                .build())
                        .withFailurePolicy("Ignore")
                        .withSideEffects("None")
                        .withAdmissionReviewVersions("v1")
                        .withTimeoutSeconds(5)
                        .build())
                .build();
        client.resource(configuration).createOr(existing -> existing.update());
    }
}
