package io.gpusnap.service.snapshot;

import io.gpusnap.service.operation.TierSpec;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;

/** From where a node can read a snapshot. */
@Service
public class CopySources {
    private final JdbcClient jdbc;

    CopySources(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** Nodes that reach a good copy in a store that is shared, and can open it, the nearest kind of store first. */
    List<NodeId> readers(SnapshotId snapshot) {
        return jdbc.sql("""
                        SELECT t.node_id, min(array_position(ARRAY['NFS', 'S3'], s.kind)) AS nearest
                          FROM snapshot_location l
                          JOIN store s ON s.id = l.store_id AND s.node_id IS NULL
                          JOIN node_tier t ON t.store_id = l.store_id AND t.health <> 'UNHEALTHY'
                          JOIN node n ON n.id = t.node_id AND node_reads(n.inventory, l.sealed_for, l.signed_by)
                         WHERE l.snapshot_id = :snapshot AND l.state = 'PRESENT'
                         GROUP BY t.node_id ORDER BY nearest, t.node_id
                        """)
                .param("snapshot", snapshot.value())
                .query((row, number) -> new NodeId(row.getObject(1, UUID.class)))
                .list();
    }

    /** The node's tiers that have a good copy, the fastest first; empty for a node that does not identify its stores. */
    public List<TierSpec.TierRef> of(SnapshotId snapshot, NodeId node) {
        return jdbc.sql("""
                        SELECT t.name, t.reported_store_id
                          FROM snapshot_location l
                          JOIN store s ON s.id = l.store_id
                          JOIN node_tier t ON t.store_id = l.store_id AND t.node_id = :node AND t.health <> 'UNHEALTHY'
                         WHERE l.snapshot_id = :snapshot AND l.state = 'PRESENT' AND t.reported_store_id IS NOT NULL
                         ORDER BY array_position(ARRAY['MEMORY', 'NVME', 'NFS', 'S3'], s.kind), t.name
                        """)
                .param("snapshot", snapshot.value())
                .param("node", node.value())
                .query((row, number) ->
                        new TierSpec.TierRef(row.getString(1), new StoreId(row.getObject(2, UUID.class))))
                .list();
    }
}
