package io.gpusnap.node.engine;

import io.gpusnap.node.tier.pack.SharedObject;
import java.util.List;

/**
 * @param objects by name
 * @param complete whether there is nothing after the last of them
 */
public record SweepOutcome(long deletedBytes, int abortedUploads, List<SharedObject> objects, boolean complete) {

    public SweepOutcome {
        objects = List.copyOf(objects);
    }
}
