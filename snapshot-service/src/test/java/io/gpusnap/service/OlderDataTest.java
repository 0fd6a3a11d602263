package io.gpusnap.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.TestManifest;
import io.gpusnap.service.tier.Store;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Rows of an earlier release mean the same after the migrations. */
@ServiceTest
class OlderDataTest {
    private static final String BEFORE_LOCATIONS = "0006";

    @Autowired
    private DataSource dataSource;

    private DataSource newDatabase() throws SQLException {
        String name = "older_" + UUID.randomUUID().toString().replace("-", "");
        try (Connection connection = dataSource.getConnection()) {
            connection.createStatement().execute("CREATE DATABASE " + name);
            HikariDataSource pool = dataSource.unwrap(HikariDataSource.class);
            PGSimpleDataSource other = new PGSimpleDataSource();
            other.setUrl(connection.getMetaData().getURL().replaceFirst("/[^/?]+(\\?|$)", "/" + name + "$1"));
            other.setUser(pool.getUsername());
            other.setPassword(pool.getPassword());
            return other;
        }
    }

    private static void migrate(DataSource database, String target) {
        Flyway.configure()
                .dataSource(database)
                .locations("classpath:db/migrations")
                .target(target)
                .load()
                .migrate();
    }

    @Test
    void holdersBecomeLocationsAndManifestsAreCounted() throws SQLException {
        // given a snapshot on a node, as the release before locations kept it
        DataSource database = newDatabase();
        migrate(database, BEFORE_LOCATIONS);
        JdbcClient jdbc = JdbcClient.create(database);
        NodeId node = NodeId.next();
        UUID snapshot = UUID.randomUUID();
        jdbc.sql("""
                        INSERT INTO node (id, name, instance_id, agent_version, epoch, session_digest, state, inventory, registered_at, last_heartbeat_at)
                        VALUES (?, 'n', gen_random_uuid(), '0', 1, '', 'ONLINE', '{}', now(), now())
                        """).param(node.value()).update();
        jdbc.sql("""
                        INSERT INTO snapshot (id, model_name, version_name, node_id, workload_name, engine, after_save, state, manifest_digest,
                                              stored_bytes, created_at, updated_at, version)
                        VALUES (?, 'm', 'v', ?, 'w', 'criu+cuda', 'STOP', 'READY', 'd', 1, now(), now(), 0)
                        """).param(snapshot).param(node.value()).update();
        jdbc.sql("INSERT INTO snapshot_manifest (snapshot_id, content) VALUES (?, ?)")
                .param(snapshot)
                .param(TestManifest.of(snapshot.toString(), "criu+cuda").text().getBytes(StandardCharsets.UTF_8))
                .update();
        jdbc.sql("INSERT INTO snapshot_holder (snapshot_id, node_id, confirmed_at) VALUES (?, ?, now())")
                .param(snapshot)
                .param(node.value())
                .update();

        // when
        migrate(database, "latest");

        // then it is in the node's own store, under the id that the code derives, and its one chunk is counted
        assertThat(jdbc.sql("SELECT store_id FROM snapshot_location WHERE snapshot_id = ? AND state = 'PRESENT'")
                        .param(snapshot)
                        .query(UUID.class)
                        .single())
                .isEqualTo(Store.ownOf(node, Inventory.TierKind.NVME).value());
        assertThat(jdbc.sql("SELECT node_id FROM snapshot_holder WHERE snapshot_id = ?")
                        .param(snapshot)
                        .query(UUID.class)
                        .single())
                .isEqualTo(node.value());
        assertThat(jdbc.sql("SELECT cardinality(prefixes) FROM snapshot_chunks WHERE snapshot_id = ?")
                        .param(snapshot)
                        .query(Integer.class)
                        .single())
                .isEqualTo(1);
        assertThat(jdbc.sql("SELECT snapshots FROM chunk_use")
                        .query(Integer.class)
                        .single())
                .isEqualTo(1);
    }
}
