package io.gpusnap.service.kubernetes.testing;

import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.BindingBuilder;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.ContainerStatusBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodConditionBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.zjsonpatch.JsonPatch;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What scheduler, kubelet and, of the mock, admission do: no test has them. */
public final class Kubelet {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final KubernetesClient client;
    private final String namespace;

    public Kubelet(KubernetesClient client, String namespace) {
        this.client = client;
        this.namespace = namespace;
    }

    /** A pod as its owner writes it. */
    public static Pod pod(String namespace, String name, String app, String image) {
        return new PodBuilder()
                .withNewMetadata()
                .withNamespace(namespace)
                .withName(name)
                .addToLabels("app", app)
                .addToLabels("gpusnap.io/managed", "true")
                .endMetadata()
                .withNewSpec()
                .addNewContainer()
                .withName("server")
                .withImage(image)
                .withCommand("cuda-server")
                .withArgs("--port", "8000")
                .endContainer()
                .endSpec()
                .build();
    }

    /** As an API server takes it: through the webhook, and past it if that does not answer. */
    public Pod submit(Pod pod) {
        return client.resource(ClusterUnderTest.REAL ? pod : admitted(pod)).create();
    }

    private Pod admitted(Pod pod) {
        MutatingWebhookConfiguration configuration = client.admissionRegistration()
                .v1()
                .mutatingWebhookConfigurations()
                .withName(ClusterUnderTest.WEBHOOK)
                .get();
        var target = configuration.getWebhooks().getFirst().getClientConfig();
        String body = client.getKubernetesSerialization()
                .asJson(Map.of(
                        "apiVersion",
                        "admission.k8s.io/v1",
                        "kind",
                        "AdmissionReview",
                        "request",
                        Map.of(
                                "uid",
                                UUID.randomUUID().toString(),
                                "operation",
                                "CREATE",
                                "kind",
                                Map.of("group", "", "version", "v1", "kind", "Pod"),
                                "object",
                                pod)));
        try {
            JsonNode response = JSON.readTree(post(target.getUrl(), target.getCaBundle(), body))
                    .path("response");
            String patch = response.path("patch").asString("");
            if (patch.isEmpty()) {
                return pod;
            }
            JsonNode patched = JsonPatch.apply(
                    JSON.readTree(Base64.getDecoder().decode(patch)),
                    JSON.readTree(client.getKubernetesSerialization().asJson(pod)));
            return client.getKubernetesSerialization().unmarshal(patched.toString(), Pod.class);
        } catch (IOException failurePolicyIgnore) {
            return pod;
        }
    }

    /** Trusts the bundle of the configuration and nothing else. */
    public static String post(String url, String caBundle, String body) throws IOException {
        try (HttpClient http =
                HttpClient.newBuilder().sslContext(trusting(caBundle)).build()) {
            return http.send(
                            HttpRequest.newBuilder(URI.create(url))
                                    .header("Content-Type", "application/json")
                                    .POST(HttpRequest.BodyPublishers.ofString(body))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private static SSLContext trusting(String caBundle) {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (Certificate authority : CertificateFactory.getInstance("X.509")
                    .generateCertificates(
                            new ByteArrayInputStream(Base64.getDecoder().decode(caBundle)))) {
                store.setCertificateEntry("ca-" + store.size(), authority);
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext tls = SSLContext.getInstance("TLS");
            tls.init(null, trust.getTrustManagers(), null);
            return tls;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    public Pod get(String name) {
        return client.pods().inNamespace(namespace).withName(name).get();
    }

    /** The scheduler's part; it does nothing of a pod with gates. */
    public void bind(String name, String node) {
        if (ClusterUnderTest.REAL) {
            client.bindings()
                    .inNamespace(namespace)
                    .resource(new BindingBuilder()
                            .withNewMetadata()
                            .withName(name)
                            .endMetadata()
                            .withTarget(new ObjectReferenceBuilder()
                                    .withApiVersion("v1")
                                    .withKind("Node")
                                    .withName(node)
                                    .build())
                            .build())
                    .create();
        } else {
            client.pods()
                    .inNamespace(namespace)
                    .withName(name)
                    .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{\"nodeName\":\"" + node + "\"}}");
        }
    }

    /** Its container runs, by a name that stands for the runtime's. */
    public void running(String name, boolean answers) {
        running(name, get(name).getMetadata().getUid(), answers);
    }

    /** Its container runs; the kubelet says Ready when it answers, and when its readiness gates are True. */
    public void running(String name, String containerId, boolean answers) {
        says(name, pod -> running(pod, containerId, answers));
    }

    /** One of its containers runs, besides those that do already. */
    public void runs(String name, String container, String containerId) {
        says(
                name,
                pod -> new PodBuilder(pod)
                        .editOrNewStatus()
                        .withPhase("Running")
                        .addToContainerStatuses(status(container, containerId))
                        .endStatus()
                        .build());
    }

    /** It has ended, as Failed or Succeeded. */
    public void ended(String name, String phase) {
        says(
                name,
                pod -> new PodBuilder(pod)
                        .editOrNewStatus()
                        .withPhase(phase)
                        .endStatus()
                        .build());
    }

    /** The operator may write to the pod at the same time: then it is said of what the pod is by then, and nothing of it is lost. */
    private void says(String name, UnaryOperator<Pod> status) {
        await().pollInSameThread().atMost(Duration.ofMinutes(1)).until(() -> {
            try {
                Pod now = get(name);
                String json = client.getKubernetesSerialization()
                        .asJson(status.apply(now).getStatus());
                String version = now.getMetadata().getResourceVersion();
                client.resource(now)
                        .subresource("status")
                        .patch(
                                PatchContext.of(PatchType.JSON),
                                "[{\"op\":\"replace\",\"path\":\"/metadata/resourceVersion\",\"value\":\"" + version
                                        + "\"},{\"op\":\"add\",\"path\":\"/status\",\"value\":" + json + "}]");
                return true;
            } catch (KubernetesClientException e) {
                if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
                    return false;
                }
                throw e;
            }
        });
    }

    private Pod running(Pod pod, String containerId, boolean answers) {
        boolean gatesOpen =
                pod.getSpec().getReadinessGates().stream().allMatch(gate -> isTrue(pod, gate.getConditionType()));
        return new PodBuilder(pod)
                .editOrNewStatus()
                .withPhase("Running")
                .withContainerStatuses(status("server", containerId))
                .removeMatchingFromConditions(one -> "Ready".equals(one.getType()))
                .addToConditions(new PodConditionBuilder()
                        .withType("Ready")
                        .withStatus(answers && gatesOpen ? "True" : "False")
                        .withLastTransitionTime(now())
                        .build())
                .endStatus()
                .build();
    }

    private static ContainerStatus status(String container, String containerId) {
        return new ContainerStatusBuilder()
                .withName(container)
                .withContainerID("containerd://" + containerId)
                .withNewState()
                .withNewRunning()
                .withStartedAt(now())
                .endRunning()
                .endState()
                .build();
    }

    public boolean isTrue(Pod pod, String condition) {
        return pod.getStatus() != null
                && pod.getStatus().getConditions().stream()
                        .anyMatch(one -> condition.equals(one.getType()) && "True".equals(one.getStatus()));
    }

    public Optional<String> environment(Pod pod, String name) {
        return pod.getSpec().getContainers().getFirst().getEnv().stream()
                .filter(one -> name.equals(one.getName()))
                .map(Kubelet::value)
                .findFirst();
    }

    private static String value(EnvVar variable) {
        @Nullable String value = variable.getValue();
        return value == null ? variable.getValueFrom().getFieldRef().getFieldPath() : value;
    }

    /** What people who look at the pod are told: "Type Reason: message". */
    public List<String> events(Pod pod) {
        return client.v1().events().inNamespace(namespace).list().getItems().stream()
                .filter(event -> pod.getMetadata()
                        .getUid()
                        .equals(event.getInvolvedObject().getUid()))
                .map(Kubelet::text)
                .toList();
    }

    private static String text(Event event) {
        return event.getType() + " " + event.getReason() + ": " + event.getMessage();
    }

    private static String now() {
        return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    }
}
