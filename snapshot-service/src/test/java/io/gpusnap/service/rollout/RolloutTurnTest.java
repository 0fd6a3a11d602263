package io.gpusnap.service.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.platform.id.RolloutId;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Of two instances that took one rollout, one after the other's lease, the later one moves it on. */
@ServiceTest
class RolloutTurnTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private RolloutLoop loop;

    @Test
    void whoTookItBeforeMovesNothingThoughTheNextOneIsNotDoneYet() throws InterruptedException {
        // given a rollout that waits for longer than this test runs
        Catalogue catalogue = Catalogue.create(api);
        String model = "/api/v1/models/" + catalogue.model();
        SimulatedNode node = SimulatedNode.register(api);
        catalogue.ready(node, "criu+cuda", 1);
        api.once().post(model + "/versions", Map.of("name", "v2")).expect(201);
        new Catalogue(api, catalogue.model(), "v2").ready(node, "criu+cuda", 2);
        api.once()
                .post(model + "/aliases", Map.of("name", "stable", "version", "v1"))
                .expect(201);
        String id = api.once()
                .post(
                        "/api/v1/rollouts",
                        Map.of(
                                "model",
                                catalogue.model(),
                                "alias",
                                "stable",
                                "version",
                                "v2",
                                "steps",
                                List.of(Map.of("pause", Map.of("durationSeconds", 86_400)), Map.of("setWeight", 50))))
                .expect(201)
                .json()
                .path("id")
                .asString();

        // and two who took it by turns when its time had come
        jdbc.sql("UPDATE rollout SET paused_until = now() - interval '1 second', epoch = epoch + 2 WHERE id = ?")
                .param(UUID.fromString(id))
                .update();
        long epoch = jdbc.sql("SELECT epoch FROM rollout WHERE id = ?")
                .param(UUID.fromString(id))
                .query(Long.class)
                .single();
        RolloutId rollout = new RolloutId(UUID.fromString(id));

        // when the first one goes on, then nothing happens
        loop.moveOn(new RolloutStore.Turn(rollout, epoch - 1));
        assertThat(phase(id)).isEqualTo("PAUSED");

        // when the other one does, then the pause is over
        loop.moveOn(new RolloutStore.Turn(rollout, epoch));
        assertThat(phase(id)).isEqualTo("HEALTHY");
    }

    private String phase(String id) {
        return api.get("/api/v1/rollouts/" + id).json().path("phase").asString();
    }
}
