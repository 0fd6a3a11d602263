package io.gpusnap.node.operation;

import java.util.OptionalDouble;

/**
 * Progress at one moment.
 *
 * @param totalBytes 0 when unknown
 * @param bytesPerSecond smoothed over the last seconds
 * @param remainingSeconds empty when total or rate are unknown
 */
public record ProgressSnapshot(
        long doneBytes, long totalBytes, double bytesPerSecond, OptionalDouble remainingSeconds) {

    public static final ProgressSnapshot NONE = new ProgressSnapshot(0, 0, 0, OptionalDouble.empty());

    static ProgressSnapshot of(long doneBytes, long totalBytes, double bytesPerSecond) {
        boolean known = totalBytes > 0 && bytesPerSecond > 0;
        OptionalDouble remaining = known
                ? OptionalDouble.of(Math.max(0, totalBytes - doneBytes) / bytesPerSecond)
                : OptionalDouble.empty();
        return new ProgressSnapshot(doneBytes, totalBytes, bytesPerSecond, remaining);
    }
}
