package io.gpusnap.service.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import externalscaler.ScaledObjectRef;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gpusnap.service.forecast.Demand;
import io.gpusnap.service.kubernetes.crd.DeletionPolicy;
import io.gpusnap.service.kubernetes.crd.Model;
import io.gpusnap.service.kubernetes.crd.ModelSpec;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.kubernetes.testing.ClusterUnderTest;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.testing.Api;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;

/** A ScaledObject hears of the demand of models that its namespace may have to do with. */
@KubernetesTest
class ScalerNamespaceTest {
    @Autowired
    private Api api;

    @Autowired
    private ScalerServer server;

    @Autowired
    private Demand demand;

    @Autowired
    private JdbcClient jdbc;

    private final KubernetesClient client = ClusterUnderTest.client();
    private final String model = "m-" + UUID.randomUUID();
    private final String owner = "ns-" + UUID.randomUUID();
    private final String other = "ns-" + UUID.randomUUID();
    private Keda keda;

    @BeforeEach
    void connect() {
        keda = new Keda(server);
    }

    @AfterEach
    void disconnect() throws InterruptedException {
        keda.close();
    }

    private ScaledObjectRef trigger(String namespace) {
        return ScaledObjectRef.newBuilder()
                .setName("llm")
                .setNamespace(namespace)
                .putAllScalerMetadata(Map.of("model", model, "signal", "replicas"))
                .build();
    }

    private void assertRefused(String namespace) {
        for (Runnable call : List.<Runnable>of(
                () -> keda.calls().isActive(trigger(namespace)),
                () -> keda.calls().streamIsActive(trigger(namespace)).next())) {
            Status status = catchThrowableOfType(StatusRuntimeException.class, call::run)
                    .getStatus();
            assertThat(status.getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
            assertThat(status.getDescription())
                    .contains("belongs to namespace " + owner)
                    .contains("spec.sharedWith");
        }
    }

    /** A policy of the owner's that names the model before it is in the catalogue. */
    private void ownersModel() {
        client.resource(new NamespaceBuilder()
                        .withMetadata(new ObjectMetaBuilder().withName(owner).build())
                        .build())
                .create();
        SnapshotPolicy policy = new SnapshotPolicy();
        policy.setMetadata(
                new ObjectMetaBuilder().withNamespace(owner).withName("llm").build());
        policy.setSpec(new SnapshotPolicySpec(
                new LabelSelectorBuilder().addToMatchLabels("app", "llm").build(),
                model,
                "v1",
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null));
        client.resource(policy).create();
        await().atMost(Duration.ofSeconds(60))
                .until(() -> jdbc.sql("SELECT namespace FROM kubernetes_model WHERE model_name = ?")
                        .param(model)
                        .query(String.class)
                        .optional()
                        .filter(owner::equals)
                        .isPresent());
    }

    @Test
    void anotherNamespaceHearsOfTheDemandOnlyOnceTheModelIsShared() {
        ownersModel();
        api.once().post("/api/v1/models", Map.of("name", model)).expect(201);
        demand.wanted(model, 2);

        // then its own namespace hears of it, others and who does not say do not
        assertThat(keda.calls().isActive(trigger(owner)).getResult()).isTrue();
        assertThat(keda.calls().streamIsActive(trigger(owner)).next().getResult())
                .isTrue();
        assertRefused(other);
        assertRefused("");

        // when an administrator shares it
        share(List.of(other));

        // then that one hears of it as well, until it is not shared any more
        await().atMost(Duration.ofSeconds(60))
                .ignoreException(StatusRuntimeException.class)
                .until(() -> keda.calls().isActive(trigger(other)).getResult());
        share(List.of());
        await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> assertRefused(other));
        assertThat(keda.calls().isActive(trigger(owner)).getResult()).isTrue();
    }

    private void share(List<String> namespaces) {
        await().atMost(Duration.ofSeconds(60))
                .until(() -> client.resources(Model.class).withName(model).get() != null);
        await().atMost(Duration.ofSeconds(60))
                // the operator has written in between
                .ignoreException(KubernetesClientException.class)
                .until(() -> client.resources(Model.class).withName(model).edit(one -> {
                            one.setSpec(new ModelSpec(null, null, DeletionPolicy.RETAIN, namespaces));
                            return one;
                        })
                        != null);
    }

    @Test
    void aModelThatBelongsToNobodyIsHeardOfByAll() {
        api.once().post("/api/v1/models", Map.of("name", model)).expect(201);
        demand.wanted(model, 2);

        assertThat(keda.calls().isActive(trigger(other)).getResult()).isTrue();
    }
}
