package io.gpusnap.service.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.TestOutlook;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.TestPropertySource;

/** Nobody asks for a policy to be carried out: it is by itself, every {@code gpusnap.policies.interval}. */
@ServiceTest
@TestPropertySource(properties = "gpusnap.policies.interval=200ms")
@DirtiesContext // a service that goes on acting by itself
class PolicyIntervalTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private TestOutlook outlook;

    @Test
    void copiesAreMadePrefetchedDemotedAndDeletedByThePolicysOwnInterval() {
        TierStory story = TierStory.begin(api, jdbc);
        String v1 = story.a.save(story.catalogue, 41);
        becomes(story, v1, Set.of("a", "s3"));

        story.release("v2");
        story.pass(Duration.ofHours(25));
        becomes(story, v1, Set.of("s3"));

        outlook.expect(Map.of(story.catalogue.model(), 5.0));
        becomes(story, v1, Set.of("a", "b", "s3"));
        assertThat(story.decisions(v1))
                .hasSize(2)
                .allMatch(one -> one.startsWith("KEEP prefetch: The forecast expects 5.0 replicas of "));

        outlook.expect(Map.of());
        becomes(story, v1, Set.of("s3"));

        story.pass(Duration.ofDays(30));
        await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> {
            story.work();
            assertThat(story.catalogue.snapshot(v1).path("state").asString()).isEqualTo("DELETED");
        });
    }

    /** The daemons do what they are told; that it is told them is the policy's doing. */
    private static void becomes(TierStory story, String snapshot, Set<String> places) {
        await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> {
            story.work();
            assertThat(story.places(snapshot)).isEqualTo(places);
        });
    }
}
