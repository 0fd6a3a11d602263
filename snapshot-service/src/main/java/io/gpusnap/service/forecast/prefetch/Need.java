package io.gpusnap.service.forecast.prefetch;

import io.gpusnap.service.forecast.Forecast;
import io.gpusnap.service.platform.id.SnapshotId;

/**
 * A model that may scale up.
 *
 * @param snapshot that a new replica would come from
 * @param bytes that a copy of it takes in a fast tier
 * @param running replicas now
 * @param forecast of replicas
 * @param savedSeconds how much sooner a replica serves when the snapshot is hot on its node
 */
public record Need(
        String model, SnapshotId snapshot, long bytes, int running, Forecast forecast, double savedSeconds) {}
