package io.gpusnap.service.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.snapshot.Moves;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.tier.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;

/** What a policy promised about copies holds at the moment of each removal, whoever asks for it, and not only when it was planned. */
@ServiceTest
class PromisedCopiesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private Moves moves;

    @Autowired
    private TransactionTemplate transaction;

    private TierStory story;

    @AfterEach
    void thePolicyGoes() {
        story.end();
    }

    /** A snapshot that is on both nodes and in the bucket. */
    private String threeCopies(String rules) {
        story = TierStory.begin(api, jdbc, rules);
        String snapshot = story.a.save(story.catalogue, 41);
        copy(snapshot, story.a, story.bucket());
        copy(snapshot, story.b, own(story.b));
        assertThat(story.places(snapshot)).containsExactly("a", "b", "s3");
        return snapshot;
    }

    private void copy(String snapshot, FakeDaemon by, StoreId to) {
        moves.copy(new Moves.Copy(
                SnapshotId.of(snapshot), NodeId.of(by.id()), to, null, TransferPriority.NORMAL, "the test wants it"));
        story.work();
    }

    private static StoreId own(FakeDaemon daemon) {
        return Store.ownOf(NodeId.of(daemon.id()), Inventory.TierKind.NVME);
    }

    private void remove(String snapshot, StoreId store) {
        moves.remove(SnapshotId.of(snapshot), store, "somebody wants it");
    }

    private boolean somebodyWaitsFor(int pid) {
        return jdbc.sql("SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE ? = ANY (pg_blocking_pids(pid)))")
                .param(pid)
                .query(Boolean.class)
                .single();
    }

    /** Removes one copy, and has the other thing asked for before that is committed. */
    private <T> Future<T> removedWhile(String snapshot, StoreId store, ExecutorService other, Callable<T> asks) {
        return transaction.execute(status -> {
            int pid = jdbc.sql("SELECT pg_backend_pid()").query(Integer.class).single();
            remove(snapshot, store);
            Future<T> asked = other.submit(asks);
            await().atMost(PATIENCE).until(() -> asked.isDone() || somebodyWaitsFor(pid));
            return asked;
        });
    }

    @Test
    void ofTwoRemovalsAtOnceOneIsRefusedWhereBothWouldPassTheMinimum() throws Exception {
        // given
        String snapshot = threeCopies("""
                {"kind": "minimum-copies", "copies": 2}
                """);

        // when the second one asks before the first is committed
        ApiException refused;
        try (ExecutorService other = Executors.newVirtualThreadPerTaskExecutor()) {
            refused = removedWhile(snapshot, own(story.a), other, () -> {
                        try {
                            remove(snapshot, own(story.b));
                            return null;
                        } catch (ApiException why) {
                            return why;
                        }
                    })
                    .get();
        }

        // then
        assertThat(refused).isNotNull();
        assertThat(refused.code()).isEqualTo(ErrorCode.COPY_PROMISED);
        assertThat(refused.code().status().value()).isEqualTo(409);
        assertThat(refused.detail())
                .contains(story.policy(), "minimum-copies: It has 2 durable copies and should have 2.");
        story.work();
        assertThat(story.places(snapshot)).containsExactly("b", "s3");
    }

    @Test
    void aPolicysRemovalThatSomebodyWasFasterThanWaitsForAnotherEvaluation() throws Exception {
        // given a plan that has one of three copies go
        String snapshot = threeCopies("""
                {"kind": "minimum-copies", "copies": 2},
                {"kind": "demote", "from": "NVME", "unusedFor": "PT24H"}
                """);
        story.pass(Duration.ofHours(25));
        JsonNode planned = removal(story.explain(snapshot).path("decisions"));
        boolean takesA = planned.path("storeId").asString().equals(own(story.a).toString());

        // when another one goes between the plan and its removal
        JsonNode carriedOut;
        try (ExecutorService other = Executors.newVirtualThreadPerTaskExecutor()) {
            carriedOut = removedWhile(snapshot, own(takesA ? story.b : story.a), other, () -> story.evaluate())
                    .get();
        }

        // then it is put off, and says why
        JsonNode put = removal(carriedOut);
        assertThat(put.path("result").asString()).isEqualTo("DEFERRED");
        assertThat(put.path("deferredBecause").asString()).contains(story.policy(), "minimum-copies");
        story.settle();
        assertThat(story.places(snapshot)).containsExactly(takesA ? "a" : "b", "s3");

        // and done once there is a copy more again
        copy(snapshot, takesA ? story.b : story.a, own(takesA ? story.b : story.a));
        story.pass(Duration.ofHours(25));
        story.settle();
        assertThat(story.places(snapshot)).hasSize(2).contains("s3");
    }

    private static JsonNode removal(JsonNode decisions) {
        List<JsonNode> removals = new ArrayList<>();
        decisions.forEach(one -> {
            if (one.path("action").asString().equals("REMOVE")) {
                removals.add(one);
            }
        });
        assertThat(removals).hasSize(1);
        return removals.getFirst();
    }

    @Test
    void theSpreadOverNodesAndAPinHoldForEverybody() {
        String snapshot = threeCopies("""
                {"kind": "node-spread", "nodes": 2},
                {"kind": "pin", "model": "MODEL", "version": "v1", "tier": "S3"}
                """);

        assertThatThrownBy(() -> remove(snapshot, own(story.a)))
                .hasMessageContaining("node-spread: It is on 2 nodes and should be on 2.");
        assertThatThrownBy(() -> remove(snapshot, story.bucket())).hasMessageContaining("pinned to S3");

        // when a newer one takes its place, then both may go
        story.save(story.b, story.catalogue.version(), 42);
        assertThatCode(() -> remove(snapshot, own(story.a))).doesNotThrowAnyException();
        assertThatCode(() -> remove(snapshot, story.bucket())).doesNotThrowAnyException();
    }

    @Test
    void whereThePolicyIsGoneOnlyTheLastGoodCopyStays() {
        String snapshot = threeCopies("""
                {"kind": "minimum-copies", "copies": 3}
                """);
        assertThatThrownBy(() -> remove(snapshot, own(story.a))).hasMessageContaining("minimum-copies");

        story.end();

        remove(snapshot, own(story.a));
        remove(snapshot, own(story.b));
        assertThatThrownBy(() -> remove(snapshot, story.bucket())).hasMessageContaining("last good copy");
    }

    @Test
    void aCopyThatWasFoundWrongDoesNotCountAndMayGo() {
        // given
        String snapshot = threeCopies("""
                {"kind": "minimum-copies", "copies": 2}
                """);
        jdbc.sql("UPDATE snapshot_location SET state = 'CORRUPT', damage = 'the test' WHERE snapshot_id = ?::uuid"
                        + " AND store_id = ?")
                .params(snapshot, story.bucket().value())
                .update();

        // then no other one goes, and the repair is not refused
        assertThatThrownBy(() -> remove(snapshot, own(story.a)))
                .hasMessageContaining("minimum-copies: It has 2 durable copies and should have 2.");
        story.settle();
        assertThat(story.places(snapshot)).containsExactly("a", "b", "s3");
    }

    @Test
    void aCopyThatNobodyCanReadDoesNotCountAndMayGo() {
        // given
        String snapshot = threeCopies("""
                {"kind": "minimum-copies", "copies": 2}
                """);
        jdbc.sql("UPDATE snapshot_location SET unread = 'NO_KEY' WHERE snapshot_id = ?::uuid AND store_id = ?")
                .params(snapshot, story.bucket().value())
                .update();

        // then
        assertThatThrownBy(() -> remove(snapshot, own(story.a))).hasMessageContaining("minimum-copies");
        remove(snapshot, story.bucket());
        assertThat(story.places(snapshot)).containsExactly("a", "b");
    }
}
