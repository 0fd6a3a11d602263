package io.gpusnap.service.restore;

import io.gpusnap.service.platform.id.NodeId;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** What a decision has to know of the moment and of the past, in plain SQL. */
@Component
class Surroundings {
    /** So many of a version's last thaws are looked at. */
    private static final int MOST_THAWS = 64;

    private final JdbcClient jdbc;

    Surroundings(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * A thaw that succeeded.
     *
     * @param bytesPerSecond rate of the fill; null where there was none
     */
    record Thaw(NodeId node, double seconds, @Nullable Double bytesPerSecond) {}

    /** A version's last thaws. */
    List<Thaw> thaws(String model, String version) {
        return jdbc.sql("""
                        SELECT node_id, thaw_seconds, fill_bytes_per_second FROM restore
                         WHERE model_name = :model AND version_name = :version AND thaw_seconds IS NOT NULL
                         ORDER BY id DESC LIMIT :most
                        """)
                .param("model", model)
                .param("version", version)
                .param("most", MOST_THAWS)
                .query((row, number) -> new Thaw(
                        new NodeId(row.getObject("node_id", UUID.class)),
                        row.getDouble("thaw_seconds"),
                        row.getObject("fill_bytes_per_second", Double.class)))
                .list();
    }

    /** How many operations wait or run on each node; nodes without any are not in it. */
    Map<NodeId, Integer> queues(Collection<NodeId> nodes) {
        return jdbc
                .sql("""
                        SELECT node_id, count(*) AS waiting FROM operation
                         WHERE node_id = ANY (:nodes) AND state IN ('PENDING', 'RUNNING') GROUP BY node_id
                        """)
                .param("nodes", nodes.stream().map(NodeId::value).toArray(UUID[]::new))
                .query((row, number) ->
                        Map.entry(new NodeId(row.getObject("node_id", UUID.class)), row.getInt("waiting")))
                .list()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }
}
