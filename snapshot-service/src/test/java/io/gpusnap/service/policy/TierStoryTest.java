package io.gpusnap.service.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.TestOutlook;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

/** Two months of a model's life under a policy. Before each thing that happens, {@code explain} says that it will, and why. */
@ServiceTest
class TierStoryTest {
    private static final String PREFETCH =
            "The forecast expects 5.0 replicas of %s; from 2.0 on it should be on NVME of 2 nodes.";
    private static final String UNUSED = "It was not thawed for %s; after 1 d it leaves NVME.";

    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private TestOutlook outlook;

    private TierStory story;

    @BeforeEach
    void givenTwoNodesABucketAndAPolicy() {
        story = TierStory.begin(api, jdbc);
    }

    @AfterEach
    void thePolicyGoes() {
        outlook.expect(Map.of());
        story.end();
    }

    @Test
    void aModelsSnapshotsLiveUnderTheirPolicy() {
        String prefetch = PREFETCH.formatted(story.catalogue.model());

        // a snapshot of the stable version gets its second copy
        String v1 = story.a.save(story.catalogue, 41);
        assertThat(story.explain(v1).path("role").asString()).isEqualTo("STABLE");
        assertThat(story.decisions(v1))
                .containsExactly("COPY minimum-copies: It has 1 durable copy and should have 2.");
        story.settle();
        assertThat(story.places(v1)).containsExactly("a", "s3");
        assertThat(story.decisions(v1)).isEmpty();

        // a new version is stable; within the day the old one stays where it is
        story.release("v2");
        story.pass(Duration.ofHours(23));
        story.settle();
        assertThat(story.explain(v1).path("role").asString()).isEqualTo("HISTORY");
        assertThat(story.decisions(v1)).isEmpty();
        assertThat(story.places(v1)).containsExactly("a", "s3");

        // two hours later it was not thawed for more than a day, and leaves the disk
        story.pass(Duration.ofHours(2));
        assertThat(story.decisions(v1)).containsExactly("REMOVE demote: " + UNUSED.formatted("1 d 1 h"));
        story.settle();
        assertThat(story.places(v1)).containsExactly("s3");
        assertThat(story.a.own()).isEmpty();

        // somebody needs it all the same: it comes back through the bucket, and for a while it is on a disk again
        story.catalogue.restore(v1).expect(202);
        story.work();
        assertThat(story.decisions(v1))
                .containsExactly("COPY promote: It was last thawed 0 min ago; within 2 h it should be on NVME.");
        story.settle();
        assertThat(story.places(v1)).hasSize(2).contains("s3");

        // the day after that nobody did, and it leaves again
        story.pass(Duration.ofHours(25));
        assertThat(story.decisions(v1)).containsExactly("REMOVE demote: " + UNUSED.formatted("1 d 1 h"));
        story.settle();
        assertThat(story.places(v1)).containsExactly("s3");

        // the forecast expects many, and the snapshot is on both disks before they come
        outlook.expect(Map.of(story.catalogue.model(), 5.0));
        JsonNode before = story.explain(v1);
        assertThat(before.path("expectedReplicas").asDouble()).isEqualTo(5.0);
        assertThat(before.path("decisions").valueStream())
                .extracting(one -> one.path("priority").asString())
                .startsWith("URGENT", "URGENT");
        assertThat(story.decisions(v1))
                .isEqualTo(List.of(
                        "COPY prefetch: " + prefetch,
                        "COPY prefetch: " + prefetch,
                        "KEEP prefetch: " + prefetch,
                        "KEEP prefetch: " + prefetch));
        story.settle();
        assertThat(story.places(v1)).containsExactly("a", "b", "s3");

        // as long as it does, nothing takes it away, however long nobody has thawed it
        story.pass(Duration.ofHours(5));
        assertThat(story.decisions(v1)).isEqualTo(List.of("KEEP prefetch: " + prefetch, "KEEP prefetch: " + prefetch));
        story.settle();
        assertThat(story.places(v1)).containsExactly("a", "b", "s3");

        // the wave is over, and what came for it goes
        outlook.expect(Map.of());
        String waited = UNUSED.formatted("1 d 6 h");
        assertThat(story.decisions(v1)).isEqualTo(List.of("REMOVE demote: " + waited, "REMOVE demote: " + waited));
        story.settle();
        assertThat(story.places(v1)).containsExactly("s3");
        assertThat(story.decisions(v1)).isEmpty();

        // a month without use ends its life, everywhere
        story.pass(Duration.ofDays(30));
        assertThat(story.decisions(v1))
                .containsExactly(
                        "DELETE retention: It was neither taken nor thawed for 31 d 6 h; after 30 d it is deleted.");
        story.settle();
        assertThat(story.catalogue.snapshot(v1).path("state").asString()).isEqualTo("DELETED");
        assertThat(story.places(v1)).isEmpty();
    }
}
