package io.gpusnap.node.tier.nfs;

import java.nio.file.Path;
import java.time.Duration;

/**
 * @param root the shared directory, which must be there: an empty mount point must not be taken for a store
 * @param deadline how long one call may take before the mount counts as hanging
 * @param calls at the same time at most, hanging ones included
 * @param lookAgain how long after trouble the mount is tried again
 */
public record NfsSettings(Path root, Duration deadline, int calls, Duration lookAgain) {

    public NfsSettings {
        if (!root.isAbsolute()) {
            throw new IllegalArgumentException("nfs.root must be absolute, is " + root);
        }
        if (deadline.isNegative() || deadline.isZero()) {
            throw new IllegalArgumentException("nfs.deadlineSeconds must be at least 1");
        }
        if (calls < 1) {
            throw new IllegalArgumentException("calls must be at least 1, is " + calls);
        }
    }

    public static NfsSettings of(Path root, Duration deadline) {
        return new NfsSettings(root, deadline, 32, Duration.ofSeconds(5));
    }
}
