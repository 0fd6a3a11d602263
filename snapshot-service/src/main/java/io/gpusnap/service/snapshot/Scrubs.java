package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.operation.NewOperation;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.operation.TierSpec;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.tier.NodeTier;
import io.gpusnap.service.tier.Stores;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/**
 * Has every copy read again from time to time, the one that was not for longest first. Every replica may run it; a store
 * that is due is taken by one of them, and has one scrub at a time. A scrub goes to a node that can open what it
 * is to read; where none says so, or the last one could not, to another.
 */
@Component
class Scrubs {
    private static final String CAPABILITY = "scrub";
    private static final int MOST_STORES_AT_ONCE = 20;
    private static final int NODES_ASKED = 100;

    private final JdbcClient jdbc;
    private final Stores stores;
    private final Nodes nodes;
    private final Operations operations;
    private final ScrubSettings settings;

    Scrubs(JdbcClient jdbc, Stores stores, Nodes nodes, Operations operations, ScrubSettings settings) {
        this.jdbc = jdbc;
        this.stores = stores;
        this.nodes = nodes;
        this.operations = operations;
        this.settings = settings;
    }

    @Scheduled(
            fixedDelayString = "${gpusnap.scrubs.check-interval:1m}",
            initialDelayString = "${gpusnap.scrubs.check-interval:1m}")
    @Transactional
    void scrubDue() {
        takeDue().forEach(this::scrub);
    }

    /** Queues a scrub of the store's copies that are due, unless no node can do it now. */
    @Transactional
    Optional<Operation> scrub(StoreId store) {
        List<TierSpec.ScrubSubject> due = due(store);
        if (due.isEmpty()) {
            return Optional.empty();
        }
        Optional<NodeTier> tier = best(store, due.getFirst().snapshotId());
        if (tier.isEmpty()) {
            return Optional.empty();
        }
        tried(store, due, tier.get().nodeId());
        return Optional.of(operations.queue(new NewOperation(
                tier.get().nodeId(),
                new TierSpec.Scrub(
                        tier.get().ref().orElseThrow(),
                        due,
                        settings.bytesPerSecond().toBytes(),
                        TransferPriority.BACKGROUND),
                null,
                Optional.empty(),
                Optional.empty(),
                Optional.of(store))));
    }

    /** A node that can read the copy, rather than the one that could not the last time. */
    private Optional<NodeTier> best(StoreId store, SnapshotId snapshot) {
        Map<NodeId, NodeTier> able = stores.seenBy(store, NODES_ASKED).stream()
                .filter(one -> one.usable()
                        && one.ref().isPresent()
                        && nodes.get(one.nodeId()).whyNot(CAPABILITY).isEmpty())
                .collect(Collectors.toMap(NodeTier::nodeId, Function.identity(), (first, second) -> first));
        return jdbc.sql("""
                        SELECT n.id FROM node n JOIN snapshot_location l ON l.snapshot_id = :snapshot AND l.store_id = :store
                         WHERE n.id = ANY (:able)
                         ORDER BY node_reads(n.inventory, l.sealed_for, l.signed_by) DESC,
                                  l.unread IS NOT NULL AND l.scrub_tried_by IS NOT DISTINCT FROM n.id, n.id
                         LIMIT 1
                        """)
                .param("snapshot", snapshot.value())
                .param("store", store.value())
                .param("able", able.keySet().stream().map(NodeId::value).toArray(UUID[]::new))
                .query((row, number) -> new NodeId(row.getObject("id", UUID.class)))
                .optional()
                .map(able::get);
    }

    /** Whatever comes of it: what cannot be read must not keep the others from their turn. */
    private void tried(StoreId store, List<TierSpec.ScrubSubject> copies, NodeId by) {
        jdbc.sql("""
                        UPDATE snapshot_location SET scrub_tried_at = now(), scrub_tried_by = :node
                         WHERE store_id = :store AND snapshot_id = ANY (:snapshots)
                        """)
                .param("node", by.value())
                .param("store", store.value())
                .param(
                        "snapshots",
                        copies.stream().map(one -> one.snapshotId().value()).toArray(UUID[]::new))
                .update();
    }

    private List<StoreId> takeDue() {
        return jdbc.sql("""
                        UPDATE store SET scrub_due_at = now() + make_interval(secs => :interval)
                         WHERE id IN (SELECT s.id FROM store s
                                       WHERE s.kind <> 'MEMORY' AND s.scrub_due_at <= now()
                                         AND EXISTS (SELECT 1 FROM snapshot_location l WHERE l.store_id = s.id AND l.state = 'PRESENT'
                                                        AND coalesce(l.verified_at, l.since) < now() - make_interval(secs => :every)
                                                        AND coalesce(l.scrub_tried_at, '-infinity') < now() - make_interval(secs => :retry))
                                         AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.store_id = s.id AND o.kind = 'SCRUB'
                                                            AND o.state IN ('PENDING', 'RUNNING'))
                                       LIMIT :limit FOR UPDATE SKIP LOCKED)
                        RETURNING id
                        """)
                .param("interval", settings.checkInterval().toMillis() / 1000.0)
                .param("every", settings.every().toMillis() / 1000.0)
                .param("retry", settings.retryAfter().toMillis() / 1000.0)
                .param("limit", MOST_STORES_AT_ONCE)
                .query((row, number) -> new StoreId(row.getObject("id", UUID.class)))
                .list();
    }

    /** The one that has waited longest, and those after it that the same nodes can read. */
    private List<TierSpec.ScrubSubject> due(StoreId store) {
        return jdbc.sql("""
                        WITH due AS (
                            SELECT s.id, s.manifest_digest, l.sealed_for, l.signed_by,
                                   greatest(coalesce(l.verified_at, l.since), l.scrub_tried_at) AS looked_at
                              FROM snapshot_location l JOIN snapshot s ON s.id = l.snapshot_id
                             WHERE l.store_id = :store AND l.state = 'PRESENT' AND s.state = 'READY' AND s.engine <> 'suspend'
                               AND coalesce(l.verified_at, l.since) < now() - make_interval(secs => :every)
                               AND coalesce(l.scrub_tried_at, '-infinity') < now() - make_interval(secs => :retry)),
                        first AS (SELECT sealed_for, signed_by FROM due ORDER BY looked_at, id LIMIT 1)
                        SELECT due.id, due.manifest_digest FROM due, first
                         WHERE (due.sealed_for, due.signed_by) IS NOT DISTINCT FROM (first.sealed_for, first.signed_by)
                         ORDER BY due.looked_at, due.id LIMIT :limit
                        """)
                .param("store", store.value())
                .param("every", settings.every().toMillis() / 1000.0)
                .param("retry", settings.retryAfter().toMillis() / 1000.0)
                .param("limit", settings.copiesAtOnce())
                .query((row, number) -> new TierSpec.ScrubSubject(
                        new SnapshotId(row.getObject("id", UUID.class)), row.getString("manifest_digest")))
                .list();
    }
}
