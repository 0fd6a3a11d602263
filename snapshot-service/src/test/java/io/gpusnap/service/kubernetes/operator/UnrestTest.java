package io.gpusnap.service.kubernetes.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.PodSnapshotStatus;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.platform.id.SnapshotId;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

@KubernetesTest
class UnrestTest {
    @Autowired
    private Unrest unrest;

    @Test
    void anAttemptThatTheDatabaseDoesNotKnowKeepsNoOtherOneFromBeingMade() {
        PodSnapshot attempt = new PodSnapshot();
        attempt.setStatus(new PodSnapshotStatus(1L, SnapshotId.next().toString(), null, false, List.of()));

        assertThat(unrest.left(Given.plain(new LabelSelector(), "m", "v1", null), List.of(attempt)))
                .isEqualTo(Duration.ZERO);
    }
}
