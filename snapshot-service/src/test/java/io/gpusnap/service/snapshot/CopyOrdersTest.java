package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.FakeSharedStore;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.Turns;
import io.gpusnap.service.tier.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * What removes copies of one snapshot, begins to read it and finds it wrong, at the same time on PostgreSQL: each in a transaction that ends
 * when the others are in the middle of theirs. A seed says in which order.
 */
@ServiceTest
class CopyOrdersTest {
    private static final int SCHEDULES = 40;

    @Autowired
    private Api api;

    @Autowired
    private Moves moves;

    @Autowired
    private Copies copies;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private TransactionTemplate transaction;

    private final FakeSharedStore bucket = new FakeSharedStore();
    private final Map<String, Integer> events = new TreeMap<>();
    private Catalogue catalogue;
    private FakeDaemon first;
    private FakeDaemon second;

    @BeforeEach
    void givenTwoNodesThatShareABucket() {
        catalogue = Catalogue.create(api);
        first = FakeDaemon.start(api, bucket);
        second = FakeDaemon.start(api, bucket);
    }

    private static StoreId own(FakeDaemon daemon, Inventory.TierKind tier) {
        return Store.ownOf(NodeId.of(daemon.id()), tier);
    }

    private void copy(SnapshotId snapshot, FakeDaemon by, StoreId to) {
        moves.copy(
                new Moves.Copy(snapshot, NodeId.of(by.id()), to, null, TransferPriority.NORMAL, "the test wants it"));
    }

    /** Of a snapshot that is on both nodes and in the bucket. */
    private final class Schedule {
        private final SnapshotId snapshot;
        private final Turns turns;
        /** What was committed, in this order. */
        private final List<String> committed = new ArrayList<>();

        Schedule(long seed, int pid) {
            snapshot = SnapshotId.of(first.save(catalogue, pid));
            copy(snapshot, first, new StoreId(bucket.id()));
            first.work();
            copy(snapshot, second, own(second, Inventory.TierKind.NVME));
            second.work();
            second.heartbeat();
            turns = new Turns(seed, jdbc, transaction);
            removal("first", own(first, Inventory.TierKind.NVME));
            removal("second", own(second, Inventory.TierKind.NVME));
            removal("bucket", new StoreId(bucket.id()));
            play("read", () -> copy(snapshot, second, own(second, Inventory.TierKind.MEMORY)));
            play("condemn", () -> copies.damaged(snapshot, new StoreId(bucket.id()), "the test found it wrong"));
        }

        private void removal(String name, StoreId store) {
            play("remove " + name, () -> moves.remove(snapshot, store, "the test wants it"));
        }

        private void play(String name, Runnable call) {
            turns.add(name, me -> {
                try {
                    me.inTransaction(() -> {
                        call.run();
                        return true;
                    });
                    committed.add(name);
                    happened(name);
                } catch (ApiException refused) {
                    happened(name + " refused: " + refused.code());
                }
            });
        }

        List<String> play() throws InterruptedException {
            try {
                turns.play(this::check);
                return turns.order();
            } finally {
                jdbc.sql(
                                "UPDATE operation SET state = 'CANCELLED', finished_at = now() WHERE snapshot_id = ? AND state = 'PENDING'")
                        .param(snapshot.value())
                        .update();
            }
        }

        /** What is committed by now. */
        private void check() {
            long good = count("state = 'PRESENT'");
            String state = jdbc.sql("SELECT state FROM snapshot WHERE id = ?")
                    .param(snapshot.value())
                    .query(String.class)
                    .single();
            assertThat(state.equals("READY"))
                    .as("%s with %d good copies after %s", state, good, committed)
                    .isEqualTo(good > 0);
            int reads = committed.indexOf("read");
            if (reads >= 0) {
                assertThat(committed.subList(reads, committed.size()))
                        .as("what came after it was begun to be read")
                        .noneMatch(one -> one.startsWith("remove"));
            }
        }

        private long count(String which) {
            return jdbc.sql("SELECT count(*) FROM snapshot_location l JOIN store s ON s.id = l.store_id"
                            + " WHERE l.snapshot_id = ? AND s.kind <> 'MEMORY' AND l." + which)
                    .param(snapshot.value())
                    .query(Long.class)
                    .single();
        }
    }

    private void happened(String event) {
        synchronized (events) {
            events.merge(event, 1, Integer::sum);
        }
    }

    @Test
    void inWhateverOrderTheyComeAGoodCopyStaysAndNothingIsRemovedUnderAReader() throws Exception {
        for (int seed = 0; seed < SCHEDULES; seed++) {
            try {
                new Schedule(seed, 41 + seed).play();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
        }

        assertThat(events)
                .containsKeys(
                        "remove first",
                        "remove second",
                        "remove bucket",
                        "read",
                        "condemn",
                        "remove first refused: CONFLICT",
                        "remove first refused: IN_USE");
    }

    @Test
    void aSeedGoesTheSameWayTwice() throws Exception {
        for (int seed = 0; seed < 3; seed++) {
            assertThat(new Schedule(seed, 141 + seed).play())
                    .as("seed %d", seed)
                    .isEqualTo(new Schedule(seed, 241 + seed).play());
        }
    }
}
