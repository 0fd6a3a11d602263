package io.gpusnap.service.prefetch;

import io.gpusnap.service.forecast.prefetch.Site;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.snapshot.Copies;
import io.gpusnap.service.tier.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** The same in plain SQL. */
@Component
class PlanFacts {
    /** What a node's memory did not keep is not brought there again for so long. */
    private static final Duration MEMORY_RESTS = Duration.ofMinutes(30);

    private final JdbcClient jdbc;
    private final Nodes nodes;
    private final Copies copies;

    PlanFacts(JdbcClient jdbc, Nodes nodes, Copies copies) {
        this.jdbc = jdbc;
        this.nodes = nodes;
        this.copies = copies;
    }

    /**
     * What a new replica of the model would come from on nodes of one kind, and how many there are anywhere.
     *
     * @param asked of the node that it comes back on
     */
    record Wanted(String model, SnapshotId snapshot, Asked asked, long bytes, int running) {}

    /**
     * What a snapshot asks of a node.
     *
     * @param classKey its compatibility class; empty where that is not known
     * @param intoContainer it was taken of a pod, and pods start from it
     */
    record Asked(String classKey, boolean intoContainer) {}

    /**
     * The newest READY snapshot of each compatibility class of what {@code stable} stands for, or, where there is no such alias, of
     * the version that has the newest; of a model the newest first.
     */
    List<Wanted> wanted(Collection<String> models) {
        return jdbc.sql("""
                        WITH running AS (
                            SELECT r.model_name, count(DISTINCT w.id)::integer AS replicas
                              FROM workload w JOIN restore r ON r.workload_id = w.id
                             WHERE w.state = 'RUNNING' GROUP BY r.model_name)
                        SELECT m.name, s.id, coalesce(s.class_key, '') AS class_key, coalesce(s.distinct_bytes, s.stored_bytes, 0) AS bytes,
                               coalesce(running.replicas, 0) AS running,
                               EXISTS (SELECT 1 FROM kubernetes_save k WHERE k.snapshot_id = s.id) AS of_pod
                          FROM unnest(:models::text[]) AS m (name)
                         CROSS JOIN LATERAL (
                               SELECT DISTINCT ON (n.class_key) n.* FROM snapshot n
                                WHERE n.model_name = m.name AND n.engine = 'criu+cuda' AND n.state = 'READY'
                                  AND n.version_id = coalesce(
                                          (SELECT a.version_id FROM model_alias a WHERE a.model_name = m.name AND a.name = 'stable'),
                                          (SELECT l.version_id FROM snapshot l
                                            WHERE l.model_name = m.name AND l.engine = 'criu+cuda' AND l.state = 'READY'
                                            ORDER BY l.id DESC LIMIT 1))
                                ORDER BY n.class_key, n.id DESC) s
                          LEFT JOIN running ON running.model_name = m.name
                         ORDER BY m.name, s.id DESC
                        """)
                .param("models", models.toArray(String[]::new))
                .query((row, number) -> new Wanted(
                        row.getString("name"),
                        new SnapshotId(row.getObject("id", UUID.class)),
                        new Asked(row.getString("class_key"), row.getBoolean("of_pod")),
                        row.getLong("bytes"),
                        row.getInt("running")))
                .list();
    }

    /** Nodes that can be brought something now, by id. */
    List<Node> movers() {
        List<NodeId> online = jdbc.sql("SELECT id FROM node WHERE state = 'ONLINE' AND schedulable")
                .query((row, number) -> new NodeId(row.getObject("id", UUID.class)))
                .list();
        return nodes.find(online).values().stream()
                .filter(node -> node.whyNot("transfer").isEmpty())
                .sorted(Comparator.comparing(node -> node.id().value()))
                .toList();
    }

    /**
     * What the nodes' own stores have, the least recently used first. Only what was brought ahead may be given up for
     * something else, and only while nobody reads it and it is not the last: the rest is for tier policies to decide.
     */
    Map<NodeId, List<Site.Copy>> copies(Collection<NodeId> of) {
        return copies(of, Inventory.TierKind.NVME, """
                NOT EXISTS (SELECT 1 FROM prefetched p WHERE p.snapshot_id = s.id AND p.node_id = own.node_id AND p.tier = own.kind)
                OR NOT EXISTS (SELECT 1 FROM snapshot_location o JOIN store p ON p.id = o.store_id
                                WHERE o.snapshot_id = s.id AND o.store_id <> l.store_id AND o.state = 'PRESENT' AND p.kind <> 'MEMORY')
                """);
    }

    /**
     * What is whole in the nodes' memory, the least recently used first. What saves and thaws left there nobody asked for: it may go
     * as well as what was brought ahead, and only what a tier policy brought stays.
     */
    Map<NodeId, List<Site.Copy>> copiesInMemory(Collection<NodeId> of) {
        return copies(of, Inventory.TierKind.MEMORY, """
                l.reason IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM prefetched p WHERE p.snapshot_id = s.id AND p.node_id = own.node_id AND p.tier = own.kind)
                """);
    }

    private Map<NodeId, List<Site.Copy>> copies(Collection<NodeId> of, Inventory.TierKind kind, String ofOthers) {
        record Copy(NodeId node, Site.Copy copy) {}
        return jdbc
                .sql("""
                        SELECT own.node_id, s.id, coalesce(s.distinct_bytes, s.stored_bytes, 0) AS bytes,
                               l.state <> 'PRESENT'
                               OR EXISTS (SELECT 1 FROM operation o WHERE o.snapshot_id = s.id AND o.state IN ('PENDING', 'RUNNING'))
                               OR (""" + ofOthers + """
                               ) AS pinned
                          FROM store own
                          JOIN snapshot_location l ON l.store_id = own.id AND l.state IN ('PRESENT', 'COPYING')
                          JOIN snapshot s ON s.id = l.snapshot_id AND s.state = 'READY' AND s.engine = 'criu+cuda'
                         WHERE own.kind = :kind AND own.node_id = ANY (:nodes)
                         ORDER BY greatest(l.since, (SELECT max(r.created_at) FROM restore r
                                                      WHERE r.snapshot_id = s.id AND r.node_id = own.node_id)), s.id
                        """)
                .param("kind", kind.name())
                .param("nodes", ids(of))
                .query((row, number) -> new Copy(
                        new NodeId(row.getObject("node_id", UUID.class)),
                        new Site.Copy(
                                new SnapshotId(row.getObject("id", UUID.class)),
                                row.getLong("bytes"),
                                row.getBoolean("pinned"))))
                .list()
                .stream()
                .collect(Collectors.groupingBy(Copy::node, Collectors.mapping(Copy::copy, Collectors.toList())));
    }

    /**
     * What of these could be brought into the nodes' memory: what is whole in their own stores, less what memory would not take or gave up
     * lately, which it would again.
     */
    Map<NodeId, Set<SnapshotId>> loadable(Collection<NodeId> of, Collection<SnapshotId> snapshots) {
        record Place(NodeId node, SnapshotId snapshot) {}
        return jdbc
                .sql("""
                        SELECT own.node_id, l.snapshot_id
                          FROM store own JOIN snapshot_location l ON l.store_id = own.id AND l.state = 'PRESENT'
                         WHERE own.kind = 'NVME' AND own.node_id = ANY (:nodes) AND l.snapshot_id = ANY (:snapshots)
                           AND NOT EXISTS (SELECT 1 FROM prefetched p
                                            WHERE p.snapshot_id = l.snapshot_id AND p.node_id = own.node_id AND p.tier = 'MEMORY'
                                              AND p.outcome IN ('WASTED', 'FAILED') AND p.ended_at > now() - make_interval(secs => :rest))
                        """)
                .param("nodes", ids(of))
                .param("snapshots", snapshots.stream().map(SnapshotId::value).toArray(UUID[]::new))
                .param("rest", MEMORY_RESTS.toSeconds())
                .query((row, number) -> new Place(
                        new NodeId(row.getObject("node_id", UUID.class)),
                        new SnapshotId(row.getObject("snapshot_id", UUID.class))))
                .list()
                .stream()
                .collect(Collectors.groupingBy(Place::node, Collectors.mapping(Place::snapshot, Collectors.toSet())));
    }

    /** What a new copy takes in the nodes' own stores of its bytes as they were saved; 1 where that is not known. */
    ToDoubleFunction<NodeId> storedShares() {
        Map<StoreId, Double> shares = copies.storedShares();
        return node -> shares.getOrDefault(Store.ownOf(node, Inventory.TierKind.NVME), 1.0);
    }

    /** Snapshots of which a copy into the node's own store found no room lately. */
    Function<NodeId, Set<SnapshotId>> foundNoRoom() {
        Map<StoreId, Map<SnapshotId, Instant>> until = copies.wholeUntil();
        return node -> until.getOrDefault(Store.ownOf(node, Inventory.TierKind.NVME), Map.of())
                .keySet();
    }

    /** A tier of a node's own. */
    record Shelf(NodeId node, Inventory.TierKind kind) {}

    /** Those that something is being removed from. */
    Set<Shelf> leaving(Collection<NodeId> of) {
        return Set.copyOf(jdbc.sql("""
                        SELECT DISTINCT own.node_id, own.kind
                          FROM store own JOIN snapshot_location l ON l.store_id = own.id AND l.state = 'REMOVING'
                         WHERE own.node_id = ANY (:nodes)
                        """)
                .param("nodes", ids(of))
                .query((row, number) -> new Shelf(
                        new NodeId(row.getObject("node_id", UUID.class)),
                        Inventory.TierKind.valueOf(row.getString("kind"))))
                .list());
    }

    private static UUID[] ids(Collection<NodeId> nodes) {
        return nodes.stream().map(NodeId::value).toArray(UUID[]::new);
    }
}
