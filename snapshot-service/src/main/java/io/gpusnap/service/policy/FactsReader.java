package io.gpusnap.service.policy;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.policy.rules.Facts;
import io.gpusnap.service.policy.rules.Role;
import io.gpusnap.service.snapshot.Copies;
import io.gpusnap.service.snapshot.Location;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.Unreadable;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Reads what rules look at. */
@Component
class FactsReader {
    private static final Logger LOG = LoggerFactory.getLogger(FactsReader.class);

    /** More than this many snapshots one evaluation does not look at; the newest are those that matter. */
    static final int MOST_SNAPSHOTS = 20_000;

    private final JdbcClient jdbc;
    private final Copies copies;
    private final ObjectProvider<DemandOutlook> outlook;
    private final PolicySettings settings;
    private final DatabaseClock clock;

    FactsReader(
            JdbcClient jdbc,
            Copies copies,
            ObjectProvider<DemandOutlook> outlook,
            PolicySettings settings,
            DatabaseClock clock) {
        this.jdbc = jdbc;
        this.copies = copies;
        this.outlook = outlook;
        this.settings = settings;
        this.clock = clock;
    }

    /** A row before it is known what its copies and its role are. */
    private record Row(
            SnapshotId id,
            String model,
            String version,
            @Nullable String alias,
            boolean modelHasStable,
            boolean newestVersion,
            Instant readyAt,
            Instant lastUsedAt,
            long bytes,
            boolean busy) {

        Facts.SnapshotFacts seen(double expectedReplicas, List<Facts.CopyFacts> copies) {
            return new Facts.SnapshotFacts(
                    id, model, version, role(), readyAt, lastUsedAt, bytes, busy, expectedReplicas, copies);
        }

        Role role() {
            if ("stable".equals(alias) || (!modelHasStable && newestVersion)) {
                return Role.STABLE;
            }
            return "canary".equals(alias) ? Role.CANARY : Role.HISTORY;
        }
    }

    /**
     * @param models only of these; empty for all
     * @param butNot not of these
     */
    Facts read(List<String> models, Set<String> butNot) {
        List<Row> rows = rows(models, butNot, null);
        if (rows.size() == MOST_SNAPSHOTS) {
            LOG.warn(
                    "a tier policy is for more than {} snapshots; it is carried out for the newest of them",
                    MOST_SNAPSHOTS);
        }
        Map<SnapshotId, List<Location>> where =
                copies.of(rows.stream().map(Row::id).toList());
        Map<SnapshotId, Map<StoreId, Set<NodeId>>> strangers = copies.strangers();
        Map<String, Double> expected = Optional.ofNullable(outlook.getIfAvailable())
                .map(forecast -> forecast.expectedReplicas(settings.forecastHorizon()))
                .orElse(Map.of());
        Instant now = clock.now();
        return new Facts(
                now,
                rows.stream()
                        .map(row -> row.seen(
                                expected.getOrDefault(row.model(), 0.0),
                                seen(
                                        row,
                                        where.getOrDefault(row.id(), List.of()),
                                        strangers.getOrDefault(row.id(), Map.of()),
                                        now)))
                        .toList(),
                stores());
    }

    /**
     * Of one snapshot what its copies are, and of its version which others there are. Little enough to be read under the snapshot's lock:
     * nothing of stores, of who can open what, or of a forecast.
     */
    Facts readFor(Snapshot snapshot) {
        Instant now = clock.now();
        return new Facts(
                now,
                rows(List.of(snapshot.modelName()), Set.of(), snapshot.versionName()).stream()
                        .map(row -> row.seen(
                                0,
                                row.id().equals(snapshot.id())
                                        ? seen(row, copies.of(snapshot.id()), Map.of(), now)
                                        : List.of()))
                        .toList(),
                Map.of());
    }

    /** Where nobody has said what a copy takes, it is as many bytes as were saved. */
    private List<Facts.CopyFacts> seen(
            Row row, List<Location> where, Map<StoreId, Set<NodeId>> strangers, Instant now) {
        return where.stream()
                .filter(copy -> !copy.lost())
                .map(copy -> new Facts.CopyFacts(
                        copy.storeId(),
                        copy.kind(),
                        copy.node(),
                        copy.state(),
                        reach(copy, now),
                        strangers.getOrDefault(copy.storeId(), Set.of()),
                        Objects.requireNonNullElse(copy.storedBytes(), row.bytes())))
                .toList();
    }

    private Facts.Reach reach(Location copy, Instant now) {
        Facts.Reach reach = copy.unreadable().map(FactsReader::reach).orElse(Facts.Reach.ANSWERS);
        Instant silentSince = copy.silentSince();
        if (silentSince == null || reach == Facts.Reach.UNREADABLE) {
            return reach;
        }
        return silentSince.plus(settings.standInAfter()).isAfter(now) ? Facts.Reach.SILENT : Facts.Reach.GIVEN_UP;
    }

    /** What no scrub has tried may be of a node that is about to be heard again, or a slip in its settings that is mended soon. */
    private static Facts.Reach reach(Unreadable why) {
        return switch (why) {
            case NO_KEY, UNTRUSTED_SIGNER -> Facts.Reach.UNREADABLE;
            case NO_ANSWER, NO_READER -> Facts.Reach.CLOSED;
        };
    }

    private List<Row> rows(List<String> models, Set<String> butNot, @Nullable String version) {
        return jdbc.sql("""
                        WITH newest AS (
                            SELECT DISTINCT ON (model_name) model_name, version_name FROM snapshot
                             WHERE state = 'READY' AND engine <> 'suspend'
                               AND (cardinality(:models::text[]) = 0 OR model_name = ANY (:models)) AND model_name <> ALL (:not)
                             ORDER BY model_name, id DESC)
                        SELECT s.id, s.model_name, s.version_name, s.ready_at, coalesce(s.distinct_bytes, s.stored_bytes) AS bytes,
                               (SELECT a.name FROM model_alias a WHERE a.version_id = s.version_id AND a.name IN ('stable', 'canary')
                                 ORDER BY a.name DESC LIMIT 1) AS alias,
                               EXISTS (SELECT 1 FROM model_alias a WHERE a.model_name = s.model_name AND a.name = 'stable') AS has_stable,
                               s.version_name = newest.version_name AS newest,
                               greatest(s.ready_at, (SELECT max(r.created_at) FROM restore r
                                                      WHERE r.snapshot_id = s.id AND r.thaw_seconds IS NOT NULL)) AS used_at,
                               EXISTS (SELECT 1 FROM operation o WHERE o.snapshot_id = s.id AND o.state IN ('PENDING', 'RUNNING')
                                          AND o.kind IN ('THAW', 'SWITCH', 'VERIFY', 'TRANSFER')) AS busy
                          FROM snapshot s JOIN newest ON newest.model_name = s.model_name
                         WHERE s.state = 'READY' AND s.engine <> 'suspend'
                           AND (cardinality(:models::text[]) = 0 OR s.model_name = ANY (:models)) AND s.model_name <> ALL (:not)
                           AND (:version::text IS NULL OR s.version_name = :version)
                         ORDER BY s.id DESC LIMIT :limit
                        """)
                .param("models", models.toArray(String[]::new))
                .param("not", butNot.toArray(String[]::new))
                .param("version", version)
                .param("limit", MOST_SNAPSHOTS)
                .query((row, number) -> new Row(
                        new SnapshotId(row.getObject("id", UUID.class)),
                        row.getString("model_name"),
                        row.getString("version_name"),
                        row.getString("alias"),
                        row.getBoolean("has_stable"),
                        row.getBoolean("newest"),
                        instant(row, "ready_at"),
                        instant(row, "used_at"),
                        row.getLong("bytes"),
                        row.getBoolean("busy")))
                .list();
    }

    /** Stores, of nodes' own only those whose node can move something, with the nodes that can. */
    private Map<StoreId, Facts.StoreFacts> stores() {
        Map<StoreId, Double> storedShares = copies.storedShares();
        Map<StoreId, Map<SnapshotId, Instant>> wholeUntil = copies.wholeUntil();
        Map<StoreId, Facts.StoreFacts> stores = new HashMap<>();
        jdbc.sql("""
                        SELECT t.store_id, s.kind, s.node_id AS owner, t.node_id, t.capacity_bytes, t.used_bytes, t.free_bytes
                          FROM node_tier t JOIN store s ON s.id = t.store_id JOIN node n ON n.id = t.node_id
                         WHERE t.health <> 'UNHEALTHY' AND t.reported_store_id IS NOT NULL AND n.state = 'ONLINE' AND n.schedulable
                           AND jsonb_path_exists(n.inventory, '$.capabilities[*] ? (@.name == "transfer" && @.available == true)')
                         ORDER BY t.node_id
                        """).query(row -> {
            StoreId id = new StoreId(row.getObject("store_id", UUID.class));
            NodeId mover = new NodeId(row.getObject("node_id", UUID.class));
            Facts.StoreFacts known = stores.get(id);
            if (known != null) {
                known.movers().add(mover);
                return;
            }
            stores.put(
                    id,
                    new Facts.StoreFacts(
                            id,
                            Inventory.TierKind.valueOf(row.getString("kind")),
                            Optional.ofNullable(row.getObject("owner", UUID.class))
                                    .map(NodeId::new),
                            row.getLong("capacity_bytes"),
                            row.getLong("used_bytes"),
                            row.getLong("free_bytes"),
                            new LinkedHashSet<>(Set.of(mover)),
                            storedShares.getOrDefault(id, 1.0),
                            wholeUntil.getOrDefault(id, Map.of())));
        });
        return stores;
    }

    private static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
