package io.gpusnap.service.tier;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.operation.TierResult;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.snapshot.Moves;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.FakeSharedStore;
import io.gpusnap.service.testing.ServiceTest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;

@ServiceTest
class SweepTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private Moves moves;

    @Autowired
    private Sweeps sweeps;

    @Autowired
    private StoreObjects objects;

    @Autowired
    private TransactionTemplate transaction;

    private final FakeSharedStore bucket = new FakeSharedStore();
    private final StoreId store = new StoreId(bucket.id());
    private Catalogue catalogue;
    private FakeDaemon daemon;
    private String first;
    private String second;

    @BeforeEach
    void givenTwoSnapshotsInABucketThatShareABase() {
        catalogue = Catalogue.create(api);
        daemon = FakeDaemon.start(api, bucket);
        first = daemon.save(catalogue, 31);
        second = daemon.save(catalogue, 32);
        copy(first);
        copy(second);
        daemon.work();
    }

    private void copy(String snapshot) {
        moves.copy(new Moves.Copy(
                SnapshotId.of(snapshot), NodeId.of(daemon.id()), store, null, TransferPriority.NORMAL, "-"));
    }

    private void remove(String snapshot) {
        moves.remove(SnapshotId.of(snapshot), store, "-");
    }

    private JsonNode sweep() {
        transaction.executeWithoutResult(status -> sweeps.sweep(new SweepRepository.Due(store, null)));
        JsonNode task = daemon.claim("SWEEP").orElseThrow();
        daemon.perform(task);
        return task;
    }

    private void pass(Duration time) {
        jdbc.sql("UPDATE store_object SET since = since - make_interval(secs => ?) WHERE store_id = ?")
                .param(time.toSeconds())
                .param(store.value())
                .update();
    }

    private String state(String snapshot) {
        for (JsonNode location : catalogue.snapshot(snapshot).path("locations")) {
            if (location.path("storeId").asString().equals(store.toString())) {
                return location.path("state").asString();
            }
        }
        return "-";
    }

    @Test
    void whatNoCopyNeedsGoesAfterTheGraceAndWhatIsSharedStays() {
        // given that one copy is not wanted any more, and an upload that died
        remove(first);
        bucket.put("packs/orphan", 5);

        // when there are sweeps before and after the grace
        sweep();
        int before = bucket.objects().size();
        pass(Duration.ofHours(25));
        JsonNode task = sweep();

        // then what only the first needed is gone, and the orphan
        assertThat(before).isEqualTo(6);
        assertThat(task.at("/sweep/delete").valueStream().map(JsonNode::asString))
                .as("indexes come before the packs, also those that no listing found")
                .map(name -> name.substring(0, name.indexOf('/')))
                .containsExactly("indexes", "indexes", "packs", "packs", "snapshots");
        assertThat(task.at("/sweep/serviceId").asString()).isNotEmpty();
        assertThat(bucket.objects().keySet()).hasSize(3).noneMatch(name -> name.contains(first));
        assertThat(state(second)).isEqualTo("PRESENT");
    }

    @Test
    void aPackWaitsForItsIndexHoweverLongItWasCondemned() {
        // given a pack that a listing found a day before its index
        listed("packs/ab/late");
        pass(Duration.ofHours(25));
        listed("indexes/late");
        assertThat(doomed()).isEmpty();

        // when the index has been condemned for as long
        pass(Duration.ofHours(25));

        assertThat(doomed()).containsExactly("indexes/late", "packs/ab/late");
    }

    @Test
    void whatNobodyRefersToIsCondemnedInTheOrderInWhichItGoes() {
        SnapshotId snapshot = SnapshotId.of(first);
        List<String> inOrder = List.of("snapshots/one.json", "indexes/one", "packs/ab/one");
        transaction.executeWithoutResult(status -> {
            objects.release(SnapshotId.of(second), store);
            objects.ledger(store).condemn(10);
            objects.reference(
                    store,
                    snapshot,
                    inOrder.reversed().stream()
                            .map(name -> new TierResult.StoredObject(name, 1))
                            .toList());
            objects.ledger(store).condemn(10);
            objects.release(snapshot, store);
        });

        for (int condemned = 1; condemned <= inOrder.size(); condemned++) {
            transaction.executeWithoutResult(status -> objects.ledger(store).condemn(1));
            assertThat(jdbc.sql("SELECT name FROM store_object WHERE name = ANY (?) AND state = 'CONDEMNED'")
                            .param(inOrder.toArray(String[]::new))
                            .query(String.class)
                            .list())
                    .containsExactlyInAnyOrderElementsOf(inOrder.subList(0, condemned));
        }
    }

    private void listed(String name) {
        transaction.executeWithoutResult(status -> objects.ledger(store).listed(Map.of(name, 1L)));
    }

    private List<String> doomed() {
        return Optional.ofNullable(
                        transaction.execute(status -> objects.ledger(store).doomed(Duration.ofHours(24), 10)))
                .orElseThrow();
    }

    @Test
    void aTransferThatSharesWhatIsBeingSweptIsRefusedAndTheNextOneGoesThrough() {
        // given that nothing in the bucket is needed, and a transfer that looked at it
        remove(first);
        remove(second);
        sweep();
        copy(first);
        JsonNode transfer = daemon.claim("TRANSFER").orElseThrow();
        List<Map<String, Object>> needed = daemon.push(first);

        // when the sweep comes before its completion
        pass(Duration.ofHours(25));
        jdbc.sql("UPDATE operation SET started_at = started_at + interval '1 hour' WHERE id = ?::uuid")
                .param(transfer.path("operationId").asString())
                .update();
        sweep();
        Api.Reply late = daemon.complete(
                transfer, "transfer", Map.of("bytesMoved", 1, "bytesStored", 1, "seconds", 1.0, "objects", needed));

        // then it does not count, and the next one copies what is lacking
        assertThat(late.code()).isEqualTo("OBJECT_GONE");
        assertThat(state(first)).isEqualTo("-");
        copy(first);
        daemon.work();
        assertThat(state(first)).isEqualTo("PRESENT");
        assertThat(bucket.objects().keySet()).anyMatch(name -> name.contains(first));
    }

    @Test
    void aCopyThatLacksAnObjectIsFoundByTheNextListing() {
        bucket.objects().keySet().stream()
                .filter(name -> name.startsWith("packs/" + first))
                .forEach(bucket::delete);
        pass(Duration.ofMinutes(1));

        sweep();

        assertThat(state(first)).isEqualTo("CORRUPT");
        assertThat(state(second)).isEqualTo("PRESENT");
        assertThat(catalogue.snapshot(first).path("state").asString()).isEqualTo("READY");
    }

    @Test
    void ofTwoReplicasOneTakesAStoreThatIsDue() {
        jdbc.sql("UPDATE store SET sweep_due_at = now() + interval '1 hour'").update();
        jdbc.sql("UPDATE store SET sweep_due_at = 'epoch' WHERE id = ?")
                .param(store.value())
                .update();

        sweeps.sweepDue();
        sweeps.sweepDue();

        assertThat(daemon.claim("SWEEP")).isPresent();
        assertThat(daemon.claim("SWEEP")).isEmpty();
    }

    /** The protocol under real transactions: pushers and sweepers side by side, and no grace at all. */
    @Test
    void pushersAndSweepersAtTheSameTimeNeverLoseWhatCounts() throws Exception {
        StoreId busy = new StoreId(UUID.randomUUID());
        jdbc.sql("INSERT INTO store (id, kind, first_seen_at) VALUES (?, 'S3', now())")
                .param(busy.value())
                .update();
        Set<String> real = ConcurrentHashMap.newKeySet();
        AtomicInteger names = new AtomicInteger();
        AtomicInteger counted = new AtomicInteger();
        List<Callable<Void>> work = new ArrayList<>();
        for (String snapshot : List.of(first, second)) {
            work.add(() -> {
                Random random = new Random(snapshot.hashCode());
                for (int i = 0; i < 60; i++) {
                    List<String> there = List.copyOf(real);
                    List<String> needed = new ArrayList<>(List.of("n" + names.incrementAndGet()));
                    real.add(needed.getFirst());
                    if (!there.isEmpty()) {
                        needed.add(there.get(random.nextInt(there.size())));
                    }
                    boolean counts = Boolean.TRUE.equals(transaction.execute(status -> objects.reference(
                            busy,
                            SnapshotId.of(snapshot),
                            needed.stream()
                                    .distinct()
                                    .map(name -> new TierResult.StoredObject(name, 1))
                                    .toList())));
                    if (counts) {
                        counted.incrementAndGet();
                        assertThat(real).containsAll(needed);
                    }
                    transaction.executeWithoutResult(status -> objects.release(SnapshotId.of(snapshot), busy));
                }
                return null;
            });
        }
        for (int sweeper = 0; sweeper < 2; sweeper++) {
            work.add(() -> {
                for (int i = 0; i < 60; i++) {
                    List<String> doomed = Optional.ofNullable(transaction.execute(status -> {
                                objects.ledger(busy).condemn(5);
                                return objects.ledger(busy).doomed(Duration.ZERO, 5);
                            }))
                            .orElseThrow();
                    doomed.forEach(real::remove);
                    transaction.executeWithoutResult(
                            status -> objects.ledger(busy).deleted(doomed));
                }
                return null;
            });
        }

        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<Void> done : threads.invokeAll(work)) {
                done.get();
            }
        }

        assertThat(counted.get()).isPositive();
    }
}
