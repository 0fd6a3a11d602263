package io.gpusnap.service.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

@ServiceTest
class ClaimTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    private Catalogue catalogue;
    private SimulatedNode node;

    @BeforeEach
    void givenANode() {
        catalogue = Catalogue.create(api);
        node = SimulatedNode.register(api);
    }

    private String queueSave() {
        return queueSave(node.runs(SimulatedNode.process(1, "w")));
    }

    private String queueSave(String workload) {
        return catalogue
                .save(workload, "suspend")
                .expect(202)
                .json()
                .at("/operation/id")
                .asString();
    }

    private void expireLease(String operation) {
        // Past the service's own start, too: a lease is never held to have run out while the service was away.
        await().atMost(Duration.ofSeconds(60))
                .until(() -> jdbc.sql("UPDATE operation SET lease_until = now() - interval '1 hour' WHERE id = ?::uuid")
                                .param(operation)
                                .update()
                        == 1);
    }

    @Test
    void ofManyClaimsAtOnceOneGetsTheOperation() throws Exception {
        String operation = queueSave();

        List<Reply> replies;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<Reply>> claims = IntStream.range(0, 16)
                    .<Callable<Reply>>mapToObj(i -> () -> node.poll(0))
                    .toList();
            replies = threads.invokeAll(claims).stream().map(Future::resultNow).toList();
        }

        assertThat(replies.stream()
                        .filter(reply -> reply.status() == 200)
                        .map(reply -> reply.json().path("operationId").asString()))
                .containsExactly(operation);
        assertThat(replies.stream().filter(reply -> reply.status() == 204)).hasSize(15);
    }

    @Test
    void aWaitingClaimIsWokenByNewWork() throws Exception {
        String workload = node.runs(SimulatedNode.process(1, "w"));
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            // given a claim that waits
            Future<Reply> waiting = threads.submit(() -> node.poll(5));
            assertThat(waiting.isDone()).isFalse();

            // when work is queued
            String operation = queueSave(workload);

            // then it gets it
            assertThat(waiting.get().expect(200).json().path("operationId").asString())
                    .isEqualTo(operation);
        }
    }

    @Test
    void aClaimThatWaitsWhileTheNodeRegistersAgainIsTurnedAway() throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            // given a claim of a daemon that is about to be replaced
            Future<Reply> waiting = threads.submit(() -> node.poll(5));
            Thread.sleep(300); // let it in: what is tested is what it finds after its session ended

            // when the node registers again and has work
            SimulatedNode next = SimulatedNode.register(api, node.name());
            catalogue.save(next.runs(SimulatedNode.process(1, "w")), "suspend").expect(202);

            // then the old daemon does not get it
            assertThat(waiting.get().code()).isEqualTo("STALE_SESSION");
            assertThat(next.claim().path("attempt").asInt()).isEqualTo(1);
        }
    }

    @Test
    void waitingHasBounds() {
        assertThat(node.poll(-1).code()).isEqualTo("INVALID_REQUEST");
        assertThat(node.poll(6).json().at("/errors/0/detail").asString()).isEqualTo("must be from 0 to 5");
    }

    @Test
    void whenALeaseRanOutTheNodeClaimsAgainAndTheOldEpochIsFencedOff() {
        // given a claim whose lease ran out
        String operation = queueSave();
        JsonNode first = node.claim();
        assertThat(node.poll(0).status()).isEqualTo(204);
        expireLease(operation);

        // when it is claimed again
        JsonNode second = await().atMost(Duration.ofSeconds(60))
                .until(() -> node.poll(0), reply -> reply.status() == 200)
                .json();

        // then epoch and attempt went up, and the first claim can change nothing any more
        assertThat(second.path("operationId").asString()).isEqualTo(operation);
        assertThat(second.path("epoch").asLong()).isEqualTo(first.path("epoch").asLong() + 1);
        assertThat(second.path("attempt").asInt()).isEqualTo(2);
        assertThat(node.progress(first, Map.of("name", "drain", "state", "FAILED", "attempt", 1))
                        .code())
                .isEqualTo("STALE_EPOCH");
        assertThat(node.saved(first).code()).isEqualTo("STALE_EPOCH");
        JsonNode now = catalogue.operation(operation);
        assertThat(now.path("state").asString()).isEqualTo("RUNNING");
        assertThat(now.path("stages").size()).isZero();
    }

    @Test
    void aDaemonThatStartedAgainGetsWhatItHeldWithoutWaitingForTheLease() {
        // given an operation that a daemon held when it ended
        String operation = queueSave();
        JsonNode first = node.claim();

        // when the next daemon of the node asks for work
        JsonNode second = SimulatedNode.register(api, node.name()).claim();

        // then it is the same operation, one epoch on
        assertThat(second.path("operationId").asString()).isEqualTo(operation);
        assertThat(second.path("epoch").asLong()).isEqualTo(first.path("epoch").asLong() + 1);
        assertThat(second.path("attempt").asInt()).isEqualTo(2);
    }

    @Test
    void aLeaseThatRanOutAloneDoesNotStopItsHolder() {
        // given a save whose daemon was cut off, while nobody else claimed
        String operation = queueSave();
        JsonNode task = node.claim();
        expireLease(operation);

        // when the daemon comes back with the result, then the work is not lost
        node.saved(task).expect(204);
        assertThat(catalogue.operation(operation).path("state").asString()).isEqualTo("SUCCEEDED");
    }

    @Test
    void progressAndHeartbeatsRenewTheLease() {
        // given
        String operation = queueSave();
        JsonNode task = node.claim();
        expireLease(operation);

        // when it is named in a heartbeat, then it is not handed out again
        Map<String, Object> held =
                Map.of("operationId", operation, "epoch", task.path("epoch").asLong());
        JsonNode reply = node.heartbeat(
                        SimulatedNode.inventory(Map.of("suspend", "")),
                        List.of(SimulatedNode.process(1, "w")),
                        List.of(held))
                .expect(200)
                .json();
        assertThat(reply.path("fencedOperations").size()).isZero();
        assertThat(node.poll(0).status()).isEqualTo(204);

        // when it reports progress, then likewise
        expireLease(operation);
        node.progress(task, Map.of("name", "drain", "state", "RUNNING", "attempt", 1))
                .expect(200);
        assertThat(node.poll(0).status()).isEqualTo(204);
    }

    @Test
    void anOperationThatWasClaimedTooOftenIsGivenUp() {
        String operation = queueSave();
        for (int attempt = 1; attempt <= 3; attempt++) {
            JsonNode task = await().atMost(Duration.ofSeconds(60))
                    .until(() -> node.poll(0), reply -> reply.status() == 200)
                    .json();
            assertThat(task.path("attempt").asInt()).isEqualTo(attempt);
            expireLease(operation);
        }

        await().atMost(Duration.ofSeconds(60))
                .until(() ->
                        catalogue.operation(operation).path("state").asString().equals("FAILED"));
        assertThat(catalogue.operation(operation).at("/failure/code").asString())
                .isEqualTo("LEASE_LOST");
        assertThat(node.poll(0).status()).isEqualTo(204);
    }
}
