package io.gpusnap.service.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.postgres.Replicas;
import io.gpusnap.service.testing.TableReads;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * What each evaluation of a policy and each plan asks of stores reads a few rows of each by index, however many copies there are and
 * transfers there were. Counted by the database, not timed.
 */
class CopyRoomScaleTest {
    private static final int NODES = 20;
    private static final int SNAPSHOTS = 20_000;
    private static final int LAST_COPIES = 10;

    /** Tables that grow with snapshots. */
    private static final Set<String> GROWING = Set.of("snapshot", "snapshot_location", "operation");

    @TempDir
    private Path folder;

    /** All are in a bucket, of which the older ones take all of their bytes and the last ones half. */
    private static UUID fill(JdbcClient jdbc) {
        UUID bucket = UUID.randomUUID();
        jdbc.sql("INSERT INTO model VALUES ('big', '', '{}', 0, now(), now())").update();
        jdbc.sql("""
                        INSERT INTO model_version (id, model_name, name, engine_arguments, labels, version, created_at, updated_at)
                        VALUES (gen_random_uuid(), 'big', 'v1', '[]', '{}', 0, now(), now())
                        """).update();
        jdbc.sql("""
                        INSERT INTO node (id, name, instance_id, agent_version, epoch, session_digest, state, inventory, registered_at, last_heartbeat_at)
                        SELECT gen_random_uuid(), 'n' || i, gen_random_uuid(), '1', 1, '', 'ONLINE', '{}', now(), now()
                          FROM generate_series(1, :nodes) i
                        """).param("nodes", NODES).update();
        jdbc.sql("""
                        INSERT INTO snapshot (id, version_id, model_name, version_name, node_id, workload_name, engine, after_save, state,
                                              manifest_digest, stored_bytes, logical_bytes, distinct_bytes, created_at, updated_at, version)
                        SELECT gen_random_uuid(), v.id, 'big', v.name, n.id, 'w', 'criu+cuda', 'STOP', 'READY', 'd', 1000, 1000, 1000,
                               now(), now(), 0
                          FROM generate_series(1, :snapshots) i CROSS JOIN model_version v
                          JOIN node n ON n.name = 'n' || (1 + i % :nodes)
                        """).param("snapshots", SNAPSHOTS).param("nodes", NODES).update();
        jdbc.sql("""
                        INSERT INTO store (id, kind, node_id, first_seen_at)
                        SELECT md5('store of ' || id || ' NVME')::uuid, 'NVME', id, now() FROM node
                        """).update();
        jdbc.sql("INSERT INTO store (id, kind, first_seen_at) VALUES (?, 'S3', now())")
                .param(bucket)
                .update();
        jdbc.sql("""
                        INSERT INTO snapshot_location (snapshot_id, store_id, state, since, confirmed_at, stored_bytes)
                        SELECT s.id, t.id, 'PRESENT', now(), now(), 800 FROM snapshot s JOIN store t ON t.node_id = s.node_id
                        """).update();
        jdbc.sql("""
                        INSERT INTO snapshot_location (snapshot_id, store_id, state, since, confirmed_at, stored_bytes)
                        SELECT id, :bucket, 'PRESENT', now() - make_interval(secs => n), now(), CASE WHEN n <= :last THEN 500 ELSE 1000 END
                          FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM snapshot) s
                        """).param("bucket", bucket).param("last", LAST_COPIES).update();
        jdbc.sql("""
                        INSERT INTO operation (id, kind, state, node_id, snapshot_id, store_id, engine, spec, failure, created_at, finished_at)
                        SELECT gen_random_uuid(), 'TRANSFER', 'FAILED', node_id, id, :bucket, 'criu+cuda', '{}',
                               '{"code": "INSUFFICIENT_SPACE"}', now() - interval '2 days', now() - interval '1 day'
                          FROM snapshot
                        """).param("bucket", bucket).update();
        jdbc.sql("ANALYZE").update();
        return bucket;
    }

    @Test
    void whatTheLastCopiesTakeIsReadByIndexHoweverManyThereAre() throws Exception {
        try (Replicas replicas = Replicas.start(folder, 0)) {
            ConfigurableApplicationContext service = replicas.add();
            JdbcClient jdbc = service.getBean(JdbcClient.class);
            Copies copies = service.getBean(Copies.class);
            TransactionTemplate transaction = service.getBean(TransactionTemplate.class);
            UUID bucket = fill(jdbc);
            Map<StoreId, Double> shares = new HashMap<>();

            List<TableReads> reads =
                    transaction.execute(status -> TableReads.of(() -> shares.putAll(copies.storedShares()), jdbc));

            assertThat(shares).hasSize(NODES + 1).containsEntry(new StoreId(bucket), 0.5);
            assertFew(reads);

            // and of all transfers that failed only those are read that did lately
            List<TableReads> ofFailures = transaction.execute(status ->
                    TableReads.of(() -> assertThat(copies.wholeUntil()).isEmpty(), jdbc));
            assertThat(ofFailures)
                    .filteredOn(read -> read.table().equals("operation"))
                    .singleElement()
                    .satisfies(read -> assertThat(read.rows() + read.scans()).isZero());
        }
    }

    private static void assertFew(List<TableReads> reads) {
        assertThat(reads)
                .filteredOn(read -> GROWING.contains(read.table()))
                .isNotEmpty()
                .allSatisfy(read ->
                        assertThat(read.rows()).as(read.toString()).isLessThanOrEqualTo(2L * LAST_COPIES * (NODES + 1)))
                .allSatisfy(read -> assertThat(read.scans()).as(read.toString()).isZero());
    }
}
