package io.gpusnap.node.engine;

import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.SnapshotId;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Left by a save that succeeded.
 *
 * @param manifestJson the manifest's exact text; its UTF-8 bytes have the digest
 * @param manifestDigest SHA-256, lower-case hex
 * @param pauseSeconds how long the workload could not use the GPU; for a workload that was stopped or suspended, until it
 *     was frozen for good
 * @param movedBytes of device memory that crossed the bus: what was neither zero, nor repeated, nor in the pool already; and
 *     what had to be filled in again for the workload to go on
 * @param rebuildableBytes of device memory that were left out because the application can rebuild them or has freed them
 * @param copyBytes what the snapshot's chunks take in the node's store, those that were there before too; null of a save whose journal an
 *     older daemon has written
 * @param stageSeconds seconds of each stage that ran in this daemon's life
 */
public record SaveOutcome(
        SnapshotId snapshot,
        String manifestJson,
        String manifestDigest,
        Manifest.Totals totals,
        double pauseSeconds,
        boolean workloadAlive,
        long movedBytes,
        long rebuildableBytes,
        @Nullable Long copyBytes,
        Map<String, Double> stageSeconds) {}
