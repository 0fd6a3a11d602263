package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.client.dsl.NonNamespaceOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.gpusnap.service.kubernetes.crd.Conditions;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.csi.VolumeSnapshot;
import io.gpusnap.service.kubernetes.testing.ClusterUnderTest;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.kubernetes.testing.RecordedCalls;
import io.gpusnap.service.testing.Api;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/** The shared tier's claim is archived by VolumeSnapshots where the cluster has them; two that are ready are kept. */
@KubernetesTest
class ArchiveTest {
    private static final Key ARCHIVE = Key.of(Key.Kind.ARCHIVE, "");

    @Autowired
    private Api api;

    @Autowired
    private Operator operator;

    @Autowired
    private ArchiveReconciler archives;

    @Autowired
    private RecordedCalls calls;

    private Given given;

    @BeforeEach
    void givenAPolicyAndNoArchive() {
        given = new Given(api);
        given.policy("llm", given.spec());
        soon().until(() -> policy().getStatus() != null && operator.idle());
        volumeSnapshots().delete();
    }

    @AfterEach
    void theClusterKnowsVolumeSnapshotsAgain() {
        ClusterUnderTest.knowsVolumeSnapshots(true);
    }

    private NonNamespaceOperation<VolumeSnapshot, KubernetesResourceList<VolumeSnapshot>, Resource<VolumeSnapshot>>
            volumeSnapshots() {
        return given.client.resources(VolumeSnapshot.class).inNamespace(ClusterUnderTest.SYSTEM);
    }

    private List<VolumeSnapshot> all() {
        return volumeSnapshots().list().getItems();
    }

    private VolumeSnapshot only() {
        assertThat(all()).hasSize(1);
        return all().getFirst();
    }

    private SnapshotPolicy policy() {
        return given.client
                .resources(SnapshotPolicy.class)
                .inNamespace(given.namespace)
                .withName("llm")
                .get();
    }

    private void isReady(VolumeSnapshot archive) {
        given.says(archive, new VolumeSnapshot.Status(true, null));
    }

    private void policySays(String what) {
        soon().untilAsserted(() -> assertThat(
                        Conditions.find(policy().getStatus().conditions(), ArchiveCondition.TYPE))
                .hasValueSatisfying(condition -> assertThat(condition.getStatus() + " " + condition.getReason())
                        .isEqualTo(what)));
    }

    @Test
    void thereIsOneArchiveForEachSpanOfTime() {
        assertThat(archives.reconcile(ARCHIVE))
                .hasValueSatisfying(again -> assertThat(again).isLessThanOrEqualTo(Duration.ofSeconds(30)));
        VolumeSnapshot taken = only();
        isReady(taken);
        archives.reconcile(ARCHIVE);

        assertThat(taken.getMetadata().getName()).matches("gpusnap-nfs-\\d{8}-000000");
        assertThat(taken.getSpec().source().persistentVolumeClaimName()).isEqualTo(ClusterUnderTest.CLAIM);
        assertThat(only().getMetadata().getUid())
                .as("neither made again nor deleted, also by the operator's own look")
                .isEqualTo(taken.getMetadata().getUid());
    }

    @Test
    void policiesSayHowItStands() {
        archives.reconcile(ARCHIVE);
        policySays("False ArchivePending");

        given.says(only(), new VolumeSnapshot.Status(false, new VolumeSnapshot.Trouble("no such class")));
        archives.reconcile(ARCHIVE);
        policySays("False ArchiveFailed");

        isReady(only());
        archives.reconcile(ARCHIVE);
        policySays("True Archived");
        assertThat(Given.reason(policy().getStatus().conditions())).isEqualTo("True WaitingForPods");

        // what was said is not said again
        soon().untilAsserted(() -> {
            // which is true once the watch has told it
            Supplier<Map<String, Long>> made = calls.from(given.namespace);
            archives.reconcile(ARCHIVE);
            assertThat(made.get()).isEmpty();
        });
    }

    @Test
    void withoutVolumeSnapshotsPoliciesSaySoAndOnceTheyAreThereItIsArchived() {
        ClusterUnderTest.knowsVolumeSnapshots(false);

        assertThat(archives.reconcile(ARCHIVE)).isPresent();
        policySays("False VolumeSnapshotsMissing");
        assertThat(Given.reason(policy().getStatus().conditions())).isEqualTo("True WaitingForPods");

        ClusterUnderTest.knowsVolumeSnapshots(true);
        archives.reconcile(ARCHIVE);
        policySays("False ArchivePending");
        assertThat(only().isReady()).isFalse();
    }

    @Test
    void theNewestThatAreReadyAreKept() {
        VolumeSnapshot.Status ready = new VolumeSnapshot.Status(true, null);
        VolumeSnapshot.Status failed = new VolumeSnapshot.Status(false, new VolumeSnapshot.Trouble("full"));
        given.archive("20250101-000000", ready);
        given.archive("20250102-000000", failed);
        given.archive("20250103-000000", ready);
        given.archive("20250104-000000", failed);
        given.archive("20250105-000000", ready);

        // when the one of today is not ready, then it keeps nothing from being kept
        archives.reconcile(ARCHIVE);
        assertThat(all())
                .extracting(one -> one.getMetadata().getName())
                .contains("gpusnap-nfs-20250105-000000", "gpusnap-nfs-20250104-000000", "gpusnap-nfs-20250103-000000")
                .hasSize(4);

        // when it is
        all().stream().filter(one -> one.getStatus() == null).findFirst().ifPresent(this::isReady);
        archives.reconcile(ARCHIVE);
        assertThat(all())
                .extracting(one -> one.getMetadata().getName())
                .contains("gpusnap-nfs-20250105-000000")
                .hasSize(2);
    }
}
