package io.gpusnap.service.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;

/** A daemon reports on its own clock, so a heartbeat meets the completion of what the same daemon has just done. */
@ServiceTest
class HeartbeatDuringCompletionTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private TransactionTemplate transaction;

    @Test
    void aHeartbeatThatNamesAnOperationWaitsForItsCompletionAndNotTheOtherWayRound() {
        // given an operation that its daemon works on
        SimulatedNode node = SimulatedNode.register(api);
        String workload = node.runs(SimulatedNode.process(1, "w"));
        Catalogue.create(api).save(workload, "criu+cuda").expect(202);
        JsonNode task = node.claim();
        String operation = task.path("operationId").asString();
        Map<String, Object> running =
                Map.of("operationId", operation, "epoch", task.path("epoch").asLong());

        // when a heartbeat comes in while a completion holds the operation, which then goes on to what it changes
        CompletableFuture<Api.Reply> heartbeat = transaction.execute(status -> {
            jdbc.sql("SELECT 1 FROM operation WHERE id = ?::uuid FOR NO KEY UPDATE")
                    .param(operation)
                    .query()
                    .singleValue();
            CompletableFuture<Api.Reply> sent = CompletableFuture.supplyAsync(() -> node.heartbeat(
                    SimulatedNode.inventory(Map.of("criu+cuda", "")),
                    List.of(SimulatedNode.process(1, "w")),
                    List.of(running)));
            // asked here, since what is awaited is looked at by another thread and connection
            int pid = jdbc.sql("SELECT pg_backend_pid()").query(Integer.class).single();
            await().atMost(Duration.ofSeconds(30)).until(() -> somebodyWaitsFor(pid));
            jdbc.sql(
                            "INSERT INTO snapshot_location (snapshot_id, store_id, state, since, confirmed_at) SELECT ?::uuid, id, 'PRESENT', now(), now() FROM store WHERE node_id = ?::uuid AND kind = 'NVME'")
                    .param(task.at("/save/snapshotId").asString())
                    .param(node.id())
                    .update();
            jdbc.sql("UPDATE workload SET state = 'GONE', last_seen_at = now() WHERE id = ?::uuid")
                    .param(workload)
                    .update();
            return sent;
        });

        // then both went through
        assertThat(heartbeat).isNotNull();
        assertThat(heartbeat.join().status()).isEqualTo(200);
    }

    private boolean somebodyWaitsFor(int pid) {
        return jdbc.sql("SELECT count(*) FROM pg_stat_activity WHERE ? = ANY (pg_blocking_pids(pid))")
                        .param(pid)
                        .query(Long.class)
                        .single()
                > 0;
    }
}
