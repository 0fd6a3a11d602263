package io.gpusnap.service.policy.rules;

import io.gpusnap.service.node.Inventory.TierKind;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.snapshot.LocationState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Two nodes with memory and disks of their own, a shared directory and a bucket; snapshots of 10 GB as a test puts them. */
final class World {
    static final Instant NOW = Instant.parse("2026-11-24T12:00:00Z");
    static final long GB = 1_000_000_000L;
    static final NodeId A = NodeId.next();
    static final NodeId B = NodeId.next();
    static final StoreId MEMORY_A = StoreId.next();
    static final StoreId NVME_A = StoreId.next();
    static final StoreId NVME_B = StoreId.next();
    static final StoreId NFS = StoreId.next();
    static final StoreId S3 = StoreId.next();

    private final Map<StoreId, Facts.StoreFacts> stores = new LinkedHashMap<>();
    private final List<Facts.SnapshotFacts> snapshots = new ArrayList<>();

    World() {
        store(MEMORY_A, TierKind.MEMORY, A, 100 * GB, 0);
        store(NVME_A, TierKind.NVME, A, 100 * GB, 20 * GB);
        store(NVME_B, TierKind.NVME, B, 100 * GB, 10 * GB);
        store(NFS, TierKind.NFS, null, 1000 * GB, 0);
        store(S3, TierKind.S3, null, 0, 0);
    }

    World store(StoreId id, TierKind kind, @org.jspecify.annotations.Nullable NodeId owner, long capacity, long used) {
        return store(id, kind, owner, capacity, used, 1);
    }

    /** @param storedShare what new copies take there of what was saved */
    World store(
            StoreId id,
            TierKind kind,
            @org.jspecify.annotations.Nullable NodeId owner,
            long capacity,
            long used,
            double storedShare) {
        stores.put(
                id,
                new Facts.StoreFacts(
                        id,
                        kind,
                        Optional.ofNullable(owner),
                        capacity,
                        used,
                        Math.max(0, capacity - used),
                        owner == null ? new LinkedHashSet<>(List.of(A, B)) : Set.of(owner),
                        storedShare,
                        Map.of()));
        return this;
    }

    World without(StoreId... ids) {
        List.of(ids).forEach(stores::remove);
        return this;
    }

    /** What a test says of a snapshot; everything else is as of a stable one that was taken an hour ago. */
    static final class Of {
        private final String version;
        private Role role = Role.STABLE;
        private Duration age = Duration.ofHours(1);
        private Duration unused = Duration.ofHours(1);
        private boolean busy;
        private double expected;
        private long bytes = 10 * GB;
        private final List<Facts.CopyFacts> copies = new ArrayList<>();

        private Of(String version) {
            this.version = version;
        }

        Of role(Role is) {
            role = is;
            return this;
        }

        Of age(Duration time) {
            age = time;
            unused = time;
            return this;
        }

        Of thawed(Duration ago) {
            unused = ago;
            return this;
        }

        Of busy() {
            busy = true;
            return this;
        }

        Of expected(double replicas) {
            expected = replicas;
            return this;
        }

        Of bytes(long size) {
            bytes = size;
            return this;
        }

        Of on(StoreId... ids) {
            List.of(ids).forEach(id -> in(id, LocationState.PRESENT));
            return this;
        }

        /** A copy that these nodes cannot open. */
        Of closedTo(StoreId id, NodeId... strangers) {
            Facts.StoreFacts store = new World().stores.get(id);
            copies.add(new Facts.CopyFacts(
                    id,
                    store.kind(),
                    store.node(),
                    LocationState.PRESENT,
                    Facts.Reach.ANSWERS,
                    Set.of(strangers),
                    bytes));
            return this;
        }

        /** Whole copies that take so much there. */
        Of taking(long copyBytes, StoreId... ids) {
            for (StoreId id : ids) {
                Facts.StoreFacts store = new World().stores.get(id);
                copies.add(new Facts.CopyFacts(
                        id, store.kind(), store.node(), LocationState.PRESENT, Facts.Reach.ANSWERS, copyBytes));
            }
            return this;
        }

        Of in(StoreId id, LocationState state) {
            return copy(id, state, Facts.Reach.ANSWERS);
        }

        /** Whole, in a store that does not answer. */
        Of in(StoreId id, Facts.Reach reach) {
            return copy(id, LocationState.PRESENT, reach);
        }

        private Of copy(StoreId id, LocationState state, Facts.Reach reach) {
            Facts.StoreFacts store = new World().stores.get(id);
            copies.add(new Facts.CopyFacts(id, store.kind(), store.node(), state, reach, bytes));
            return this;
        }
    }

    static Of snapshot(String version) {
        return new Of(version);
    }

    SnapshotId with(Of of) {
        SnapshotId id = SnapshotId.next();
        snapshots.add(new Facts.SnapshotFacts(
                id,
                "m",
                of.version,
                of.role,
                NOW.minus(of.age),
                NOW.minus(of.unused),
                of.bytes,
                of.busy,
                of.expected,
                of.copies));
        return id;
    }

    Facts facts() {
        return new Facts(NOW, List.copyOf(snapshots), stores);
    }

    /** What is decided, one line a decision: what, where or who, by which rule. */
    List<String> decide(Rule... rules) {
        return decisions(rules).stream().map(World::line).toList();
    }

    List<Decision> decisions(Rule... rules) {
        return Plan.of(facts(), List.of(rules));
    }

    private static String line(Decision decision) {
        String where = switch (decision) {
            case Decision.Copy copy ->
                " " + name(copy.store()) + " by " + (copy.by().equals(A) ? "A" : "B");
            case Decision.Remove remove -> " " + name(remove.store());
            case Decision.Keep keep -> " " + name(keep.store());
            case Decision.Delete delete -> "";
            case Decision.Blocked blocked -> "";
        };
        return decision.action() + where + " (" + decision.rule() + ")";
    }

    private static String name(StoreId store) {
        return Map.of(MEMORY_A, "memory-A", NVME_A, "nvme-A", NVME_B, "nvme-B", NFS, "nfs", S3, "s3")
                .get(store);
    }
}
