package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.gpusnap.service.kubernetes.admission.InstalledWebhook;
import io.gpusnap.service.kubernetes.cluster.ApiCall;
import io.gpusnap.service.kubernetes.cluster.KubernetesCalls;
import io.gpusnap.service.kubernetes.crd.Model;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.csi.VolumeSnapshot;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.testing.ClusterUnderTest;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.kubernetes.testing.RecordedCalls;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.SimulatedNode;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/**
 * {@link KubernetesCalls} is what a role allows: exactly what is called, nothing that is not. That no other test has anything
 * else called, each {@link KubernetesTest} checks for itself.
 */
@KubernetesTest
class KubernetesCallsTest {
    private static final String DRIVER = "580.1";

    @Autowired
    private Api api;

    @Autowired
    private RecordedCalls calls;

    @Autowired
    private InstalledWebhook webhook;

    @Autowired
    private ArchiveReconciler archives;

    @Test
    void everythingThatIsCalledIsNamedAndEverythingNamedIsCalled() {
        // given a life with everything in it: certificates, a snapshot, a pod that starts from it, deletions
        Given given = new Given(api);
        SimulatedNode node = given.node(DRIVER);
        given.client
                .secrets()
                .inNamespace(ClusterUnderTest.SYSTEM)
                .withName("gpusnap-webhook-tls")
                .delete();
        webhook.install();
        webhook.install();
        webhook.expire();
        given.snapshotReady(node, DRIVER);
        given.kubelet.submit(Kubelet.pod(given.namespace, "second", "llm", Given.IMAGE));
        soon().until(() -> !PodPatches.isGated(given.kubelet.get("second")));
        given.kubelet.submit(Kubelet.pod(given.namespace, "other", "nobody", Given.IMAGE));
        soon().until(() -> given.kubelet.isTrue(given.kubelet.get("other"), PodNames.STARTED));
        String ofRest = Catalogue.create(api).ready(SimulatedNode.register(api));
        soon().until(() -> given.content("snapcontent-" + ofRest) != null);
        given.client
                .resources(SnapshotPolicy.class)
                .inNamespace(given.namespace)
                .withName("llm")
                .delete();
        given.client.resource(given.podSnapshot()).delete();
        node.complete(Given.claim(node), Map.of("outcome", "SUCCEEDED"));
        soon().until(() -> given.podSnapshots().isEmpty());
        Model model = new Model();
        model.setMetadata(new ObjectMetaBuilder().withName(given.model + "-x").build());
        given.client.resource(model).create();
        soon().until(() -> {
            Model seen = given.client
                    .resources(Model.class)
                    .withName(given.model + "-x")
                    .get();
            return seen.getStatus() != null;
        });

        given.client
                .resources(VolumeSnapshot.class)
                .inNamespace(ClusterUnderTest.SYSTEM)
                .delete();
        for (String day : List.of("20250101", "20250102", "20250103")) {
            given.archive(day + "-000000", new VolumeSnapshot.Status(true, null));
        }
        archives.reconcile(Key.of(Key.Kind.ARCHIVE, ""));

        // then
        assertThat(calls.all())
                .containsExactlyInAnyOrderElementsOf(Arrays.stream(KubernetesCalls.values())
                        .map(KubernetesCallsTest::made)
                        .collect(Collectors.toSet()));
        assertThat(KubernetesCalls.values())
                .filteredOn(KubernetesCalls::inOwnNamespace)
                .isNotEmpty()
                .allSatisfy(call -> assertThat(calls.namespacesOf(made(call)))
                        .as("a role there is all that it has for %s", call)
                        .containsExactly(ClusterUnderTest.SYSTEM));
    }

    private static ApiCall made(KubernetesCalls call) {
        return new ApiCall(call.verb(), call.group(), call.resource());
    }
}
