package io.gpusnap.service.policy.rules;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.snapshot.LocationState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * All that rules look at, as it was at one moment.
 *
 * @param now on database time
 * @param snapshots those that the policy is for
 */
public record Facts(Instant now, List<SnapshotFacts> snapshots, Map<StoreId, StoreFacts> stores) {

    /**
     * A READY snapshot.
     *
     * @param lastUsedAt last thaw that went well; its making, when there was none
     * @param bytes of its chunks as they were saved
     * @param busy an operation reads it
     * @param expectedReplicas of its model by the forecast, at most, within its horizon; 0 without one
     */
    public record SnapshotFacts(
            SnapshotId id,
            String model,
            String version,
            Role role,
            Instant readyAt,
            Instant lastUsedAt,
            long bytes,
            boolean busy,
            double expectedReplicas,
            List<CopyFacts> copies) {

        /** For people. */
        public String name() {
            return model + "/" + version;
        }

        Duration unusedFor(Instant now) {
            return Duration.between(lastUsedAt, now);
        }
    }

    /** Whether a copy can be read by a node that is heard. */
    public enum Reach {
        ANSWERS,
        /** Its store does not answer for the moment. It is not made anew yet, and is no reason to let another copy go. */
        SILENT,
        /** Its store has not answered for so long that it is no longer counted on. */
        GIVEN_UP,
        /** Its store answers, and no node can read it for the moment. As SILENT. */
        CLOSED,
        /** A scrub had no key for it, or did not trust it. As GIVEN_UP. */
        UNREADABLE;

        /** Whether it is waited for rather than made anew, where it is not there already. */
        boolean isCountedOn() {
            return this != GIVEN_UP && this != UNREADABLE;
        }

        /** Whether somebody may try to read it. */
        boolean isOpenToTrials() {
            return this != SILENT && this != GIVEN_UP;
        }
    }

    /**
     * A copy.
     *
     * @param node whose own the store is
     * @param strangers nodes that cannot open it, or do not trust who signed it
     * @param bytes what it takes there when nothing is shared
     */
    public record CopyFacts(
            StoreId store,
            Inventory.TierKind kind,
            Optional<NodeId> node,
            LocationState state,
            Reach reach,
            Set<NodeId> strangers,
            long bytes) {

        /** Which every node that sees it can open, as far as is known. */
        public CopyFacts(
                StoreId store,
                Inventory.TierKind kind,
                Optional<NodeId> node,
                LocationState state,
                Reach reach,
                long bytes) {
            this(store, kind, node, state, reach, Set.of(), bytes);
        }

        boolean durable() {
            return kind != Inventory.TierKind.MEMORY;
        }

        /** Whether it is whole, and can be had now. */
        boolean isThere() {
            return state == LocationState.PRESENT && reach == Reach.ANSWERS;
        }
    }

    /**
     * A store.
     *
     * @param capacityBytes 0 without bound
     * @param movers nodes that see it, are heard, not cordoned and can transfer
     * @param storedShare what a copy is expected to take there of its bytes as they were saved: below 1 where chunks are compressed
     * @param wholeUntil snapshots of which a copy found no room there, each with the time until which all of its bytes are counted
     */
    public record StoreFacts(
            StoreId id,
            Inventory.TierKind kind,
            Optional<NodeId> node,
            long capacityBytes,
            long usedBytes,
            long freeBytes,
            Set<NodeId> movers,
            double storedShare,
            Map<SnapshotId, Instant> wholeUntil) {

        /** What a new copy of the snapshot would take here. */
        long expected(SnapshotFacts snapshot) {
            double share = wholeUntil.containsKey(snapshot.id()) ? Math.max(1, storedShare) : storedShare;
            return (long) Math.ceil(snapshot.bytes() * share);
        }

        boolean fits(long bytes) {
            return capacityBytes == 0 || freeBytes >= bytes;
        }
    }
}
