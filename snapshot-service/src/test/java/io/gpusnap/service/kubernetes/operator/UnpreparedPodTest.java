package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.SimulatedNode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/** Pods that the webhook never saw, or whose process the daemon cannot find, keep no other pod from being frozen. */
@KubernetesTest
class UnpreparedPodTest {
    private static final String DRIVER = "580.1";

    @Autowired
    private Api api;

    @Autowired
    private Operator operator;

    private Given given;

    @BeforeEach
    void givenANamespace() {
        given = new Given(api);
    }

    /** It is ready, and no daemon says anything of it. */
    private Pod readyWithoutAProcess(String name, SimulatedNode node) {
        Pod pod = given.client
                .resource(Kubelet.pod(given.namespace, name, "llm", Given.IMAGE))
                .create();
        given.kubelet.bind(name, node.name());
        given.kubelet.running(name, true);
        return pod;
    }

    @Test
    void aPodWithoutAProcessIsNotAskedForAndTheNextOneThatHasOneIs() {
        given.policy("llm", given.spec());
        SimulatedNode node = given.node(DRIVER);

        // given two that are warm, of which nobody reports a process
        readyWithoutAProcess("never", node);
        Pod late = readyWithoutAProcess("late", node);
        soon().untilAsserted(() -> assertThat(operator.idle()).isTrue());
        assertThat(given.podSnapshots()).isEmpty();

        // when the daemon finds one's process, then that one is frozen, though nothing of the pod has changed
        given.reports(node, DRIVER, late);
        given.saves(node);

        soon().untilAsserted(() ->
                assertThat(PodSnapshotReconciler.isReady(given.podSnapshot())).isTrue());
        assertThat(given.podSnapshot().getSpec().source().podName()).isEqualTo("late");
    }
}
