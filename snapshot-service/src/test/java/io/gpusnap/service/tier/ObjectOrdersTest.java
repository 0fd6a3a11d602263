package io.gpusnap.service.tier;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.Turns;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * What {@link ObjectLedgerTest} plays event by event in memory, here on PostgreSQL statement by statement: what transfers, removals and sweeps
 * tell of one store comes at the same time, with their transactions in the middle of each other, late, and from those that were given
 * up. A seed says in which order.
 */
@ServiceTest
class ObjectOrdersTest {
    private static final int SCHEDULES = 60;
    private static final int CHUNKS = 3;
    private static final int LIMIT = 4;

    @Autowired
    private Api api;

    @Autowired
    private DataSource services;

    /** Those of the service's pool may all be with its jobs, which wait for what a transaction that stands still has locked. */
    private HikariDataSource own;

    private JdbcClient jdbc;
    private TransactionTemplate transaction;

    private final List<SnapshotId> snapshots = new ArrayList<>();
    private final Map<String, Integer> events = new TreeMap<>();
    private UUID node;

    @BeforeEach
    void givenConnections() throws SQLException {
        HikariDataSource pool = services.unwrap(HikariDataSource.class);
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(pool.getJdbcUrl());
        config.setUsername(pool.getUsername());
        config.setPassword(pool.getPassword());
        config.setMaximumPoolSize(16);
        config.setMinimumIdle(0);
        own = new HikariDataSource(config);
        jdbc = JdbcClient.create(own);
        transaction = new TransactionTemplate(new DataSourceTransactionManager(own));
    }

    @AfterEach
    void closeConnections() {
        own.close();
    }

    @BeforeEach
    void givenSnapshots() {
        FakeDaemon daemon = FakeDaemon.start(api, null);
        node = UUID.fromString(daemon.id());
        Catalogue catalogue = Catalogue.create(api);
        for (int i = 0; i < 3; i++) {
            snapshots.add(SnapshotId.of(daemon.save(catalogue, 31 + i)));
        }
    }

    /** One schedule on a store of its own. */
    private final class Schedule {
        private final StoreId store = new StoreId(UUID.randomUUID());
        private final Random random;
        private final Turns turns;
        private final boolean locks;
        /** What is really in the store: the chunk of a pack, by its name and that of its index. */
        private final Map<String, Integer> objects = new TreeMap<>();
        /** Copies that count, with their objects. */
        private final Map<SnapshotId, Set<String>> copies = new HashMap<>();

        /** What sweeps have deleted, or found gone. */
        private final Set<String> deleted = new TreeSet<>();

        private int names;

        /** @param locks false: as if nobody took the store's lock */
        Schedule(long seed, boolean locks) {
            this.random = new Random(seed);
            this.locks = locks;
            this.turns = new Turns(seed, jdbc, transaction);
            jdbc.sql("INSERT INTO store (id, kind, first_seen_at) VALUES (?, 'S3', now())")
                    .param(store.value())
                    .update();
            // Left by transfers that died, and condemned by a sweep before: what comes now shares it as long as it is
            // there.
            for (int chunk = 0; chunk < CHUNKS; chunk++) {
                String pack = "packs/o" + names++;
                objects.put(pack, chunk);
                objects.put(index(pack), chunk);
            }
            transaction.executeWithoutResult(status ->
                    tell(new ObjectLedger(ObjectRepository.locked(jdbc, store)), List.of(), objects.keySet()));
            for (int i = 0; i < snapshots.size(); i++) {
                SnapshotId snapshot = snapshots.get(i);
                List<Integer> chunks = List.of(random.nextInt(CHUNKS), random.nextInt(CHUNKS));
                boolean dies = random.nextInt(4) == 0;
                turns.add("push " + i, me -> {
                    push(me, snapshot, chunks, dies);
                    push(me, snapshot, chunks, false);
                });
                turns.add("remove " + i, me -> {
                    remove(me, snapshot);
                    remove(me, snapshot);
                });
            }
            turns.add("sweep", me -> sweep(me, true));
            turns.add("stalled sweep", me -> sweep(me, false));
        }

        List<String> play() throws InterruptedException {
            try {
                turns.play(this::check);
                settle();
                return turns.order();
            } catch (AssertionError e) {
                throw new AssertionError(e.getMessage() + "; objects " + objects + ", copies " + copies.values(), e);
            } finally {
                jdbc.sql("DELETE FROM operation WHERE store_id = ?")
                        .param(store.value())
                        .update();
                jdbc.sql("DELETE FROM store_reference WHERE store_id = ?")
                        .param(store.value())
                        .update();
                jdbc.sql("DELETE FROM store WHERE id = ?").param(store.value()).update();
            }
        }

        private void check() {
            copies.values()
                    .forEach(needed -> assertThat(objects.keySet())
                            .as("objects of a copy that counts")
                            .containsAll(needed));
        }

        /** Sweeps that come one after the other leave what copies need and nothing else. */
        private void settle() {
            for (int i = 0; i < 4 * names + 4; i++) {
                List<String> doomed =
                        transaction.execute(status -> doomed(new ObjectLedger(ObjectRepository.locked(jdbc, store))));
                objects.keySet().removeAll(doomed);
                transaction.executeWithoutResult(status ->
                        tell(new ObjectLedger(ObjectRepository.locked(jdbc, store)), doomed, objects.keySet()));
                check();
            }
            Set<String> needed =
                    copies.values().stream().flatMap(Set::stream).collect(Collectors.toCollection(TreeSet::new));
            assertThat(objects.keySet()).as("what is left in the store").isEqualTo(needed);
            assertThat(jdbc.sql("SELECT name FROM store_object WHERE store_id = ? ORDER BY name")
                            .param(store.value())
                            .query(String.class)
                            .list())
                    .as("what is remembered")
                    .containsExactlyElementsOf(needed);
        }

        /** In a transaction of its own, which stops before each statement and before its end. */
        private <T> T apart(Turns.Player me, Function<ObjectLedger, T> work) {
            return me.inTransaction(() -> work.apply(ledger(me)));
        }

        /** The same under the snapshot's lock, which comes before the store's. */
        private <T> T apart(Turns.Player me, SnapshotId snapshot, Function<ObjectLedger, T> work) {
            return me.inTransaction(() -> {
                me.stop("lock the snapshot");
                lock(snapshot);
                return work.apply(ledger(me));
            });
        }

        private ObjectLedger ledger(Turns.Player me) {
            me.stop("lock the store");
            ObjectTable table = locks ? ObjectRepository.locked(jdbc, store) : ObjectRepository.unlocked(jdbc, store);
            return new ObjectLedger(new StoppingTable(table, me));
        }

        private void lock(SnapshotId snapshot) {
            jdbc.sql("SELECT 1 FROM snapshot WHERE id = ? FOR NO KEY UPDATE")
                    .param(snapshot.value())
                    .query()
                    .singleValue();
        }

        /** Claims, looks what the store has, uploads what it lacks, and tells; or dies before it does. */
        private void push(Turns.Player me, SnapshotId snapshot, List<Integer> chunks, boolean dies) {
            me.stop("claim");
            UUID operation = UUID.randomUUID();
            jdbc.sql("""
                            INSERT INTO operation (id, kind, state, node_id, snapshot_id, store_id, spec, lease_until, created_at, started_at)
                            VALUES (:id, 'TRANSFER', 'RUNNING', :node, :snapshot, :store, '{}', now() + interval '1 day', now(), now())
                            """)
                    .param("id", operation)
                    .param("node", node)
                    .param("snapshot", snapshot.value())
                    .param("store", store.value())
                    .update();
            me.stop("look");
            Map<String, Long> needed = new TreeMap<>();
            List<Integer> lacking = new ArrayList<>();
            for (int chunk : new TreeSet<>(chunks)) {
                objects.entrySet().stream()
                        .filter(one -> one.getKey().startsWith("indexes/") && one.getValue() == chunk)
                        .map(one -> one.getKey().replace("indexes/", "packs/"))
                        .findFirst()
                        .ifPresentOrElse(pack -> need(needed, pack), () -> lacking.add(chunk));
            }
            happened(needed.isEmpty() ? "nothing shared" : "shared");
            for (int chunk : lacking) {
                me.stop("upload a pack");
                String pack = "packs/o" + names++;
                objects.put(pack, chunk);
                me.stop("upload its index");
                objects.put(index(pack), chunk);
                need(needed, pack);
            }
            if (dies) {
                me.stop("die");
                end(operation);
                happened("died");
                return;
            }
            boolean counts = apart(me, snapshot, ledger -> {
                end(operation);
                return ledger.reference(snapshot, needed);
            });
            if (counts) {
                copies.put(snapshot, needed.keySet());
            }
            happened(counts ? "counted" : "refused");
        }

        private static String index(String pack) {
            return PackNames.index(pack).orElseThrow();
        }

        private static void need(Map<String, Long> needed, String pack) {
            needed.put(pack, 1L);
            needed.put(index(pack), 1L);
        }

        private void end(UUID operation) {
            jdbc.sql("UPDATE operation SET state = 'CANCELLED', finished_at = now() WHERE id = ?")
                    .param(operation)
                    .update();
        }

        private void remove(Turns.Player me, SnapshotId snapshot) {
            me.stop("remove");
            apart(me, snapshot, ledger -> {
                ledger.release(snapshot);
                return true;
            });
            happened(copies.remove(snapshot) == null ? "nothing removed" : "removed");
        }

        /** @param reports false: it was given up, deletes all the same, and nobody listens to it */
        private void sweep(Turns.Player me, boolean reports) {
            for (int i = 0; i < 3; i++) {
                me.stop("plan");
                List<String> doomed = apart(me, Schedule::doomed);
                for (String name : new TreeSet<>(doomed)) { // indexes, then packs
                    me.stop("delete " + name);
                    deleted.add(name);
                    PackNames.index(name)
                            .ifPresent(index -> assertThat(deleted)
                                    .as("an index before its pack")
                                    .contains(index));
                    objects.remove(name);
                    happened("deleted");
                }
                if (reports) {
                    me.stop("begin a list");
                    Instant begun = now();
                    me.stop("list");
                    Set<String> listed = Set.copyOf(objects.keySet());
                    me.stop("report");
                    assertThat(ObjectRepository.unlocked(jdbc, store).missing(listed, new NameRange(null, null), begun))
                            .as("copies that are said to lack an object")
                            .isEmpty();
                    apart(me, ledger -> {
                        tell(ledger, doomed, listed);
                        return true;
                    });
                }
            }
        }

        private Instant now() {
            return jdbc.sql("SELECT now()").query(OffsetDateTime.class).single().toInstant();
        }

        private static List<String> doomed(ObjectLedger ledger) {
            ledger.forget(LIMIT);
            ledger.condemn(LIMIT);
            return ledger.doomed(Duration.ZERO, LIMIT);
        }

        private static void tell(ObjectLedger ledger, List<String> deleted, Set<String> listed) {
            ledger.deleted(deleted);
            ledger.listed(listed.stream().collect(Collectors.toMap(name -> name, name -> 1L)));
        }
    }

    private void happened(String event) {
        synchronized (events) {
            events.merge(event, 1, Integer::sum);
        }
    }

    @Test
    void whateverComesInTheMiddleOfWhatNothingThatACopyNeedsGoesAndNothingElseStays() throws Exception {
        for (long seed = 0; seed < SCHEDULES; seed++) {
            try {
                new Schedule(seed, true).play();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
        }

        assertThat(events)
                .containsOnlyKeys(
                        "counted",
                        "refused",
                        "shared",
                        "nothing shared",
                        "removed",
                        "nothing removed",
                        "deleted",
                        "died");
    }

    @Test
    void withoutTheStoresLockSomeOfTheseOrdersLoseAnObject() throws Exception {
        List<String> noticed = new ArrayList<>();
        for (long seed = 0; seed < SCHEDULES; seed++) {
            try {
                new Schedule(seed, false).play();
            } catch (AssertionError e) {
                noticed.add(e.getMessage());
            }
        }

        assertThat(noticed).anyMatch(what -> what.contains("objects of a copy that counts"));
    }

    @Test
    void aSeedGoesTheSameWayTwice() throws Exception {
        for (long seed = 0; seed < 3; seed++) {
            assertThat(new Schedule(seed, true).play()).as("seed %d", seed).isEqualTo(new Schedule(seed, true).play());
        }
    }
}
