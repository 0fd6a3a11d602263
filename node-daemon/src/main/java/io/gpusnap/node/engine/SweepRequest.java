package io.gpusnap.node.engine;

import java.time.Duration;
import java.util.List;
import java.util.UUID;

/**
 * Deletes objects of a shared store and lists others. What is garbage the service alone knows.
 *
 * @param service whose store it is: the first one that sweeps it
 * @param delete keys; those that are not there are no failure
 * @param listAfter list what sorts after it; "" for all
 * @param abortUploadsAfter age by the store's clock
 */
public record SweepRequest(
        TierRef tier, UUID service, List<String> delete, String listAfter, int listLimit, Duration abortUploadsAfter) {

    public SweepRequest {
        delete = List.copyOf(delete);
    }
}
