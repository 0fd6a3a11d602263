package io.gpusnap.service.restore;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Nodes that hold a snapshot whole in their own store. */
@Component
class HolderReach implements SnapshotReach {
    /** Of a snapshot that more nodes hold, so many are looked at. */
    private static final int MOST_HOLDERS = 512;

    private final JdbcClient jdbc;

    HolderReach(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    @Override
    public List<Reach> of(Collection<SnapshotId> snapshots, int limit) {
        return jdbc.sql("""
                        SELECT s.id, near.node_id FROM unnest(:ids) AS s (id)
                         CROSS JOIN LATERAL (
                               SELECT h.node_id FROM (
                                      SELECT node_id, confirmed_at FROM snapshot_holder
                                       WHERE snapshot_id = s.id ORDER BY node_id LIMIT :most) h
                                 JOIN node n ON n.id = h.node_id
                                ORDER BY (n.state = 'ONLINE' AND n.schedulable) DESC, h.confirmed_at DESC, h.node_id
                                LIMIT :limit) near
                        """)
                .param("ids", snapshots.stream().map(SnapshotId::value).toArray(UUID[]::new))
                .param("most", MOST_HOLDERS)
                .param("limit", limit)
                .query((row, number) -> new Reach(
                        new SnapshotId(row.getObject("id", UUID.class)),
                        new NodeId(row.getObject("node_id", UUID.class)),
                        Inventory.TierKind.NVME,
                        0))
                .list();
    }
}
