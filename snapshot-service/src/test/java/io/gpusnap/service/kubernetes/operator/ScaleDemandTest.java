package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;
import io.fabric8.kubernetes.api.model.autoscaling.v1.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.autoscaling.v1.HorizontalPodAutoscalerBuilder;
import io.gpusnap.service.forecast.Demand;
import io.gpusnap.service.forecast.LatestDemand;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.kubernetes.testing.RecordedCalls;
import io.gpusnap.service.testing.Api;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/** What Deployments and autoscalers are set to is demand for the model, before there are pods. */
@KubernetesTest
class ScaleDemandTest {
    @Autowired
    private Api api;

    @Autowired
    private Demand demand;

    @Autowired
    private Operator operator;

    @Autowired
    private RecordedCalls calls;

    private Given given;

    @BeforeEach
    void givenAModelWithAPolicy() {
        given = new Given(api);
        api.once().post("/api/v1/models", Map.of("name", given.model)).expect(201);
        given.policy("llm", given.spec());
    }

    private ObjectMeta named(String name) {
        return new ObjectMetaBuilder()
                .withNamespace(given.namespace)
                .withName(name)
                .addToLabels(PodNames.MANAGED, "true")
                .build();
    }

    private static LabelSelector selector(String name) {
        return new LabelSelectorBuilder().addToMatchLabels("set", name).build();
    }

    /** A template of pods that the policy is for. */
    private static PodTemplateSpec template(String name, Map<String, String> labels) {
        return new PodTemplateSpecBuilder()
                .withNewMetadata()
                .addToLabels("app", "llm")
                .addToLabels("set", name)
                .addToLabels(labels)
                .endMetadata()
                .withNewSpec()
                .addNewContainer()
                .withName("server")
                .withImage(Given.IMAGE)
                .endContainer()
                .endSpec()
                .build();
    }

    private static Map<String, String> managed() {
        return Map.of(PodNames.MANAGED, "true");
    }

    private Deployment deployment(String name, int replicas, Map<String, String> labels) {
        return given.client
                .resource(new DeploymentBuilder()
                        .withMetadata(named(name))
                        .withNewSpec()
                        .withReplicas(replicas)
                        .withSelector(selector(name))
                        .withTemplate(template(name, labels))
                        .endSpec()
                        .build())
                .create();
    }

    private void scale(String name, int replicas) {
        given.client
                .apps()
                .deployments()
                .inNamespace(given.namespace)
                .withName(name)
                .edit(one -> new DeploymentBuilder(one)
                        .editSpec()
                        .withReplicas(replicas)
                        .endSpec()
                        .build());
    }

    private void isWanted(int replicas) {
        soon().untilAsserted(() -> {
            LatestDemand.Desired desired = demand.latest(given.model).desired();
            assertThat(desired).isNotNull();
            assertThat(desired.replicas()).isEqualTo(replicas);
        });
    }

    @Test
    void aDeploymentThatIsScaledIsDemandAtOnceAndCostsNoCall() {
        deployment("one", 1, managed());
        isWanted(1);
        Given.quiet(operator);
        Supplier<Map<String, Long>> made = calls.from(given.namespace);

        scale("one", 4);
        isWanted(4);
        scale("one", 0);
        isWanted(0);

        assertThat(made.get()).as("its watch has told it").isEmpty();
        assertThat(given.kubelet.get("one")).isNull();
    }

    @Test
    void whatKeepsPodsOfOneModelIsAddedUp() {
        deployment("one", 2, managed());
        given.client
                .resource(new StatefulSetBuilder()
                        .withMetadata(named("two"))
                        .withNewSpec()
                        .withServiceName("two")
                        .withReplicas(3)
                        .withSelector(selector("two"))
                        .withTemplate(template("two", managed()))
                        .endSpec()
                        .build())
                .create();
        ReplicaSetBuilder set = new ReplicaSetBuilder()
                .withMetadata(named("three"))
                .withNewSpec()
                .withReplicas(5)
                .withSelector(selector("three"))
                .withTemplate(template("three", managed()))
                .endSpec();
        given.client.resource(set.build()).create();
        isWanted(10);

        // a Deployment's own set is its Deployment's matter, and what makes other pods is not ours
        given.client
                .resource(set.editMetadata()
                        .withName("of-a-deployment")
                        .withOwnerReferences(new OwnerReferenceBuilder()
                                .withApiVersion("apps/v1")
                                .withKind("Deployment")
                                .withName("one")
                                .withUid(UUID.randomUUID().toString())
                                .withController(true)
                                .build())
                        .endMetadata()
                        .build())
                .create();
        deployment("unmanaged", 20, Map.of());
        deployment("of-nobody", 40, Map.of(PodNames.MANAGED, "true", "app", "other"));
        scale("one", 1);
        isWanted(9);

        // when one goes, it is wanted no more
        given.client
                .apps()
                .statefulSets()
                .inNamespace(given.namespace)
                .withName("two")
                .delete();
        isWanted(6);
        given.client
                .apps()
                .replicaSets()
                .inNamespace(given.namespace)
                .withName("three")
                .delete();
        given.client
                .apps()
                .deployments()
                .inNamespace(given.namespace)
                .withName("one")
                .delete();
        isWanted(0);
    }

    @Test
    void whatAnAutoscalerHasDecidedIsDemandBeforeItsTargetIsScaled() {
        deployment("one", 2, managed());
        isWanted(2);

        HorizontalPodAutoscaler autoscaler = given.client
                .resource(new HorizontalPodAutoscalerBuilder()
                        .withMetadata(new ObjectMetaBuilder()
                                .withNamespace(given.namespace)
                                .withName("one")
                                .build())
                        .withNewSpec()
                        .withMinReplicas(3)
                        .withMaxReplicas(9)
                        .withNewScaleTargetRef("apps/v1", "Deployment", "one")
                        .endSpec()
                        .build())
                .create();
        isWanted(3);
        given.client
                .resource(new HorizontalPodAutoscalerBuilder(autoscaler)
                        .withNewStatus()
                        .withCurrentReplicas(2)
                        .withDesiredReplicas(7)
                        .endStatus()
                        .build())
                .subresource("status")
                .update();
        isWanted(7);

        // at zero it is switched off
        scale("one", 0);
        isWanted(0);
    }
}
