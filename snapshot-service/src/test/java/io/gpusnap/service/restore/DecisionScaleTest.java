package io.gpusnap.service.restore;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.postgres.Replicas;
import io.gpusnap.service.restore.gate.Constraints;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TableReads;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/** A decision reads a bounded number of rows by index, however many there are. Counted by the database, not timed. */
class DecisionScaleTest {
    private static final int NODES = 1_000;
    private static final int SNAPSHOTS = 100_000;

    /** Tables that grow with snapshots. */
    private static final Set<String> GROWING = Set.of("snapshot", "snapshot_location", "restore", "operation");

    @TempDir
    private Path folder;

    private static void fill(JdbcClient jdbc) {
        String inventory = Api.JSON.writeValueAsString(
                SimulatedNode.inventory(Map.of("criu+cuda", "", "suspend", "", "transfer", "")));
        jdbc.sql("INSERT INTO model VALUES ('big', '', '{}', 0, now(), now())").update();
        jdbc.sql("""
                        INSERT INTO model_version (id, model_name, name, engine_arguments, labels, version, created_at, updated_at)
                        SELECT gen_random_uuid(), 'big', 'v' || i, '[]', '{}', 0, now(), now() FROM generate_series(1, 100) i
                        """).update();
        jdbc.sql("""
                        INSERT INTO node (id, name, instance_id, agent_version, epoch, session_digest, state, inventory, registered_at, last_heartbeat_at)
                        SELECT gen_random_uuid(), 'n' || i, gen_random_uuid(), '1', 1, '', 'ONLINE', :inventory::jsonb, now(), now()
                          FROM generate_series(1, :nodes) i
                        """).param("inventory", inventory).param("nodes", NODES).update();
        jdbc.sql("""
                        INSERT INTO snapshot (id, version_id, model_name, version_name, node_id, workload_name, engine, after_save, state,
                                              manifest_digest, stored_bytes, logical_bytes, created_at, updated_at, version, class_key)
                        SELECT gen_random_uuid(), v.id, 'big', v.name, n.id, 'w', 'criu+cuda', 'STOP', 'READY', 'd', 1, 1, now(), now(), 0,
                               'class-' || (i % 5)
                          FROM generate_series(1, :snapshots) i
                          JOIN model_version v ON v.name = 'v' || CASE WHEN i % 2 = 0 THEN 1 ELSE 1 + i % 100 END
                          JOIN node n ON n.name = 'n' || (1 + i % :nodes)
                        """).param("snapshots", SNAPSHOTS).param("nodes", NODES).update();
        jdbc.sql("""
                        INSERT INTO store (id, kind, node_id, first_seen_at)
                        SELECT md5('store of ' || id || ' NVME')::uuid, 'NVME', id, now() FROM node
                        """).update();
        jdbc.sql("""
                        INSERT INTO snapshot_location (snapshot_id, store_id, state, since, confirmed_at)
                        SELECT s.id, t.id, 'PRESENT', now(), now() FROM snapshot s JOIN store t ON t.node_id = s.node_id
                        """).update();
        // the newest of one version is everywhere
        jdbc.sql("""
                        INSERT INTO snapshot_location (snapshot_id, store_id, state, since, confirmed_at)
                        SELECT (SELECT id FROM snapshot WHERE version_name = 'v1' ORDER BY id DESC LIMIT 1),
                               id, 'PRESENT', now(), now() FROM store
                        ON CONFLICT DO NOTHING
                        """).update();
        jdbc.sql("""
                        INSERT INTO restore (id, snapshot_id, node_id, decision, created_at, version, model_name, version_name, thaw_seconds,
                                             outcome, ended_at)
                        SELECT gen_random_uuid(), id, node_id, '{}', now(), 0, model_name, version_name, 1.5, 'RESTORED', now() FROM snapshot
                        """).update();
        jdbc.sql("""
                        INSERT INTO operation (id, kind, state, node_id, snapshot_id, restore_id, engine, spec, created_at, finished_at)
                        SELECT gen_random_uuid(), 'THAW', 'SUCCEEDED', node_id, snapshot_id, id, 'criu+cuda', '{}', now(), now() FROM restore
                        """).update();
        jdbc.sql("ANALYZE").update();
    }

    @Test
    void aDecisionReadsAFewRowsByIndexHoweverManyThereAre() throws Exception {
        try (Replicas replicas = Replicas.start(folder, 0)) {
            ConfigurableApplicationContext service = replicas.add();
            JdbcClient jdbc = service.getBean(JdbcClient.class);
            fill(jdbc);
            Decider decider = service.getBean(Decider.class);

            // when one is decided
            Decider.Question anywhere =
                    new Decider.Question("big", "v1", Optional.empty(), Constraints.NONE, Set.of(), false);
            TransactionTemplate transaction = service.getBean(TransactionTemplate.class);
            List<TableReads> reads = transaction.execute(status -> readsOf(decider, anywhere, jdbc));

            // and when a node is named, then it is looked at, wherever it stands among all that have the snapshot
            List<UUID> named = jdbc.sql("SELECT id FROM node ORDER BY name LIMIT 5")
                    .query(UUID.class)
                    .list();
            assertThat(named)
                    .allSatisfy(node -> assertThat(decider.decide(new Decider.Question(
                                            "big",
                                            "v1",
                                            Optional.empty(),
                                            Constraints.on(new NodeId(node)),
                                            Set.of(),
                                            false))
                                    .steps())
                            .isNotEmpty());

            // then no table that grows was read from end to end
            readsAreFew(reads);

            // and when all nodes but one are silent, then it is found, wherever it stands among them
            oneIsHeard(jdbc);
            assertThat(decider.decide(anywhere).steps()).isNotEmpty();

            // also if it sees the copy in a bucket
            onlyInABucket(jdbc);
            assertThat(decider.decide(anywhere).steps()).isNotEmpty();

            // and when all nodes see the bucket, few copies are read, though one of every snapshot is in it; what their
            // nodes cost is the control plane's bench to show
            jdbc.sql("UPDATE node SET state = 'ONLINE'").update();
            jdbc.sql("ANALYZE").update();
            List<TableReads> inTheBucket = transaction.execute(status -> readsOf(decider, anywhere, jdbc));
            assertThat(inTheBucket)
                    .filteredOn(read -> GROWING.contains(read.table()))
                    .isNotEmpty()
                    .allSatisfy(
                            read -> assertThat(read.rows()).as(read.toString()).isLessThan(5_000))
                    .allSatisfy(
                            read -> assertThat(read.scans()).as(read.toString()).isZero());
        }
    }

    private static List<TableReads> readsOf(Decider decider, Decider.Question question, JdbcClient jdbc) {
        return TableReads.of(() -> assertThat(decider.decide(question).steps()).isNotEmpty(), jdbc);
    }

    private static void readsAreFew(List<TableReads> reads) {
        assertThat(reads)
                .isNotEmpty()
                .allSatisfy(read -> assertThat(read.rows()).as(read.toString()).isLessThan(5_000));
        assertThat(reads)
                .filteredOn(read -> GROWING.contains(read.table()))
                .allSatisfy(read -> assertThat(read.scans()).as(read.toString()).isZero());
    }

    private static void oneIsHeard(JdbcClient jdbc) {
        jdbc.sql("""
                        UPDATE node SET state = 'SILENT'
                         WHERE id <> (SELECT node_id FROM store WHERE kind = 'NVME' ORDER BY id DESC LIMIT 1)
                        """).update();
    }

    /** That all nodes see, the one that is heard last of all. */
    private static void onlyInABucket(JdbcClient jdbc) {
        UUID bucket = UUID.randomUUID();
        jdbc.sql("INSERT INTO store (id, kind, first_seen_at) VALUES (?, 'S3', now())")
                .param(bucket)
                .update();
        jdbc.sql("DELETE FROM snapshot_location").update();
        jdbc.sql("""
                        INSERT INTO snapshot_location (snapshot_id, store_id, state, since, confirmed_at)
                        SELECT id, ?, 'PRESENT', now(), now() FROM snapshot WHERE version_name = 'v1'
                        """).param(bucket).update();
        jdbc.sql("""
                        INSERT INTO node_tier (node_id, store_id, name, reported_store_id, capacity_bytes, free_bytes, used_bytes, health)
                        SELECT id, :bucket, 's3', :bucket, 0, 0, 0, 'HEALTHY' FROM node ORDER BY state = 'ONLINE', id
                        """).param("bucket", bucket).update();
    }
}
