package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;

/** What nodes have of the versions that run there: one statement for all of them. */
@KubernetesComponent
class Placements {
    private final JdbcClient jdbc;

    Placements(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** A version on a node, which has the name that Kubernetes knows it by. */
    record Place(String node, String model, String version) {}

    /** A place on a node that no daemon speaks of is not in it. */
    Map<Place, Standing> of(Collection<Place> places) {
        List<Place> distinct = places.stream().distinct().toList();
        return jdbc
                .sql("""
                        SELECT i.node, i.model, i.version,
                               CASE WHEN n.state <> 'ONLINE' OR NOT n.schedulable THEN 'LEAVING'
                                    WHEN has.memory THEN 'HOT' WHEN has.nvme THEN 'STORED' ELSE 'BARE' END AS standing
                          FROM unnest(:nodes::text[], :models::text[], :versions::text[]) AS i (node, model, version)
                          JOIN node n ON n.name = i.node
                         CROSS JOIN LATERAL (
                               SELECT bool_or(own.kind = 'MEMORY') AS memory, bool_or(own.kind = 'NVME') AS nvme
                                 FROM snapshot s
                                 JOIN snapshot_location l ON l.snapshot_id = s.id AND l.state = 'PRESENT'
                                 JOIN store own ON own.id = l.store_id AND own.node_id = n.id
                                WHERE s.model_name = i.model AND s.version_name = i.version AND s.state = 'READY'
                                  AND s.engine = 'criu+cuda') has
                        """)
                .param("nodes", distinct.stream().map(Place::node).toArray(String[]::new))
                .param("models", distinct.stream().map(Place::model).toArray(String[]::new))
                .param("versions", distinct.stream().map(Place::version).toArray(String[]::new))
                .query((row, number) -> Map.entry(
                        new Place(row.getString("node"), row.getString("model"), row.getString("version")),
                        Standing.valueOf(row.getString("standing"))))
                .list()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }
}
