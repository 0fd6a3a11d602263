package io.gpusnap.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TestManifest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

@ServiceTest
class MetricsTest {
    @Autowired
    private Api api;

    private String scrape() {
        return api.get("/actuator/prometheus").expect(200).text();
    }

    @Test
    void whatWasDoneIsCountedAndTimedWithoutIds() {
        // given a save with a timed stage, and a thaw
        Catalogue catalogue = Catalogue.create(api);
        SimulatedNode node = SimulatedNode.register(api);
        catalogue.save(node.runs(SimulatedNode.process(1, "w")), "criu+cuda").expect(202);
        JsonNode save = node.claim();
        node.complete(
                        save,
                        Map.of(
                                "outcome", "SUCCEEDED",
                                "stages",
                                        List.of(Map.of(
                                                "name", "drain",
                                                "state", "SUCCEEDED",
                                                "attempt", 1,
                                                "startedAt", "2026-01-01T00:00:00Z",
                                                "finishedAt", "2026-01-01T00:00:02Z")),
                                "save", TestManifest.of(save).saveResult()))
                .expect(204);
        catalogue.restore(save.at("/save/snapshotId").asString()).expect(202);
        node.thawed(node.claim(), 1, "w").expect(204);

        // when
        String metrics = scrape();

        // then
        assertThat(metrics)
                .containsPattern("gpusnap_operations_total\\{[^}]*kind=\"save\",outcome=\"succeeded\"[^}]*} [1-9]")
                .containsPattern("gpusnap_operations_total\\{[^}]*kind=\"thaw\",outcome=\"succeeded\"[^}]*} [1-9]")
                .containsPattern(
                        "gpusnap_operation_duration_seconds_count\\{[^}]*engine=\"criu\\+cuda\",kind=\"save\"[^}]*} [1-9]")
                .containsPattern("gpusnap_stage_duration_seconds_sum\\{[^}]*stage=\"drain\"[^}]*} [1-9]")
                .containsPattern("gpusnap_thaw_duration_seconds_bucket\\{[^}]*engine=\"criu\\+cuda\"");
        assertThat(metrics).doesNotContain(node.id(), node.name(), catalogue.model());
    }

    @Test
    void whatThereIsIsCounted() {
        Catalogue catalogue = Catalogue.create(api);
        catalogue.ready(SimulatedNode.register(api));

        await().atMost(Duration.ofMinutes(3))
                .untilAsserted(() -> assertThat(scrape())
                        .containsPattern("gpusnap_snapshots\\{[^}]*state=\"ready\"[^}]*} [1-9]")
                        .containsPattern("gpusnap_snapshot_bytes\\{[^}]*kind=\"logical\"[^}]*} [1-9]")
                        .containsPattern("gpusnap_snapshot_bytes\\{[^}]*kind=\"stored\"[^}]*} [1-9]")
                        .containsPattern("gpusnap_nodes\\{[^}]*state=\"online\"[^}]*} [1-9]")
                        .containsPattern("gpusnap_workloads\\{[^}]*state=\"gone\"[^}]*} [1-9]"));
    }

    @Test
    void metersOfOursEndWithTheirUnit() {
        Pattern ours = Pattern.compile("^# TYPE (gpusnap_\\S+) (\\S+)$", Pattern.MULTILINE);

        assertThat(ours.matcher(scrape()).results().toList())
                .isNotEmpty()
                .allSatisfy(
                        meter -> assertThat(meter.group(1))
                                .matches(
                                        "gpusnap_(.*_bytes_total|.*_ratio|copies_(corrupt|lacking)_total|copies_unreadable|.*_seconds(_max)?|forecast_models|nodes|objects|operations_total|policy_decisions_total|prefetch_(copies|thaws)_total|recoveries|restore_decisions_total|restore_fallbacks_total|restores_total|rollout_allotments_total|rollout_measurements_total|rollouts|scaler_(calls|pushes)_total|scaler_streams|schedule_decisions_total|schedule_missing_replicas|snapshot_bytes|snapshots|switches_total|workloads)"));
    }
}
