package io.gpusnap.bench;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import tools.jackson.databind.JsonNode;

/**
 * Fills the catalogue. One node, version and snapshot are made through the API, and copied in the database with new ids and
 * names, so that a column that is added later is right by itself. A version has 100 snapshots of three compatibility classes, each
 * on two nodes and in a bucket that all nodes see and read from.
 */
final class Population {
    static final int SNAPSHOTS_A_VERSION = 100;
    private static final int CLASSES = 3;
    private static final String PROCESS = """
            [{"pid":4711,"startTimeTicks":1,"name":"bench","executable":"/bench","commandLine":["bench"],"state":"RUNNING",
              "managedBytes":4194304,"allocations":1,"listeningPorts":[],"refusals":[]}]
            """;

    private final Connection connection;

    Population(Connection connection) {
        this.connection = connection;
    }

    /** The first snapshot, as a daemon would have made it; the daemon has claimed and ended what was queued for it. */
    static void template(Http http) throws IOException, InterruptedException {
        http.post("/api/v1/models", "{\"name\":\"bench-template\"}", 201);
        http.post("/api/v1/models/bench-template/versions", "{\"name\":\"v1\"}", 201);
        Daemon daemon = Daemon.register(http, "bench-template");
        daemon.heartbeat(PROCESS);
        JsonNode workloads =
                Http.JSON.readTree(http.get("/api/v1/workloads?name=bench").body());
        http.post(
                "/api/v1/snapshots",
                "{\"model\":\"bench-template\",\"version\":\"v1\",\"workloadId\":\""
                        + workloads.at("/items/0/id").asString()
                        + "\",\"engine\":\"criu+cuda\",\"afterSave\":\"STOP\"}",
                202);
        daemon.saved(daemon.claim(5));
    }

    /** Makes the catalogue this large; it only grows. */
    void grow(Settings.Size size) throws SQLException {
        int versions = size.snapshots() / SNAPSHOTS_A_VERSION;
        execute("""
                INSERT INTO node SELECT r.* FROM node n, generate_series(1, %d) i, LATERAL jsonb_populate_record(n,
                       jsonb_build_object('id', uuidv7(), 'bench', i, 'name', 'bench-node-' || i)) r
                 WHERE n.name = 'bench-template' ON CONFLICT (name) DO NOTHING
                """.formatted(size.nodes()));
        execute("""
                INSERT INTO model SELECT r.* FROM model m, generate_series(1, %d) i, LATERAL jsonb_populate_record(m,
                       jsonb_build_object('name', 'bench-model-' || i)) r
                 WHERE m.name = 'bench-template' ON CONFLICT (name) DO NOTHING
                """.formatted(versions));
        execute("""
                INSERT INTO model_version SELECT r.* FROM model_version v, generate_series(1, %d) i, LATERAL jsonb_populate_record(v,
                       jsonb_build_object('id', uuidv7(), 'bench', i, 'model_name', 'bench-model-' || i)) r
                 WHERE v.model_name = 'bench-template' ON CONFLICT (model_name, name) DO NOTHING
                """.formatted(versions));
        execute("""
                CREATE TEMP TABLE bench_node ON COMMIT PRESERVE ROWS AS
                SELECT id, row_number() OVER (ORDER BY name) - 1 AS number FROM node WHERE name LIKE 'bench-node-%'
                """);
        execute("CREATE UNIQUE INDEX ON bench_node (number)");
        execute("""
                INSERT INTO compatibility_class SELECT c.key || '-' || i, c.facts
                  FROM snapshot s JOIN compatibility_class c ON c.key = s.class_key, generate_series(1, %d) i
                 WHERE s.model_name = 'bench-template' ON CONFLICT DO NOTHING
                """.formatted(CLASSES));
        execute("""
                INSERT INTO snapshot SELECT r.* FROM snapshot s, model_version v, generate_series(1, %d) i
                  JOIN bench_node n ON n.number = (i * 7919) %% %d, LATERAL jsonb_populate_record(s,
                       jsonb_build_object('id', uuidv7(), 'bench', i, 'version_id', v.id, 'model_name', v.model_name, 'node_id', n.id, 'workload_id', NULL,
                                          'class_key', s.class_key || '-' || (1 + i %% %d))) r
                 WHERE s.model_name = 'bench-template' AND v.model_name LIKE 'bench-model-%%'
                   AND NOT EXISTS (SELECT 1 FROM snapshot other WHERE other.version_id = v.id)
                """.formatted(SNAPSHOTS_A_VERSION, size.nodes(), CLASSES));
        execute("""
                INSERT INTO store (id, kind, node_id, first_seen_at)
                SELECT md5('store of ' || id || ' NVME')::uuid, 'NVME', id, now() FROM bench_node ON CONFLICT DO NOTHING
                """);
        execute("""
                INSERT INTO node_tier SELECT r.* FROM store s JOIN bench_node n ON n.id = s.node_id, node_tier t,
                       LATERAL jsonb_populate_record(t, jsonb_build_object('node_id', n.id, 'store_id', s.id)) r
                 WHERE t.store_id = (SELECT s.id FROM store s JOIN node n ON n.id = s.node_id WHERE n.name = 'bench-template' AND s.kind = 'NVME')
                ON CONFLICT DO NOTHING
                """);
        execute("""
                INSERT INTO node_tier SELECT r.* FROM bench_node n, node_tier t
                  JOIN store s ON s.id = t.store_id AND s.kind = 'S3' JOIN node o ON o.id = t.node_id AND o.name = 'bench-template',
                       LATERAL jsonb_populate_record(t, jsonb_build_object('node_id', n.id)) r
                ON CONFLICT DO NOTHING
                """);
        execute("""
                INSERT INTO snapshot_location (snapshot_id, store_id, state, since, confirmed_at)
                SELECT s.id, t.id, 'PRESENT', now(), now() FROM snapshot s CROSS JOIN store t
                 WHERE t.kind = 'S3' AND s.model_name LIKE 'bench-model-%' ON CONFLICT DO NOTHING
                """);
        execute("""
                INSERT INTO snapshot_location (snapshot_id, store_id, state, since, confirmed_at)
                SELECT s.id, t.id, 'PRESENT', now(), now() FROM snapshot s CROSS JOIN generate_series(0, 1) i
                  JOIN bench_node n ON n.number = abs(hashtext(s.id::text || i)) %% %d
                  JOIN store t ON t.node_id = n.id AND t.kind = 'NVME'
                 WHERE s.model_name LIKE 'bench-model-%%' ON CONFLICT DO NOTHING
                """.formatted(size.nodes()));
        execute("DROP TABLE bench_node");
        for (String table : new String[] {
            "node",
            "node_tier",
            "store",
            "model",
            "model_version",
            "compatibility_class",
            "snapshot",
            "snapshot_location",
            "operation"
        }) {
            execute("VACUUM ANALYZE " + table);
        }
    }

    /** Work for a node that is only claimed and never done. */
    void queue(String node, int operations) throws SQLException {
        execute("""
                INSERT INTO operation SELECT r.* FROM operation o, generate_series(1, %d) i, LATERAL jsonb_populate_record(o, jsonb_build_object(
                           'id', uuidv7(), 'bench', i, 'node_id', '%s', 'state', 'PENDING', 'workload_id', NULL, 'lease_owner', NULL, 'lease_until', NULL,
                           'started_at', NULL, 'finished_at', NULL, 'failure', NULL, 'epoch', 0, 'attempt', 0)) r
                 WHERE o.id = (SELECT id FROM operation WHERE kind = 'SAVE' ORDER BY id LIMIT 1)
                """.formatted(operations, node));
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
