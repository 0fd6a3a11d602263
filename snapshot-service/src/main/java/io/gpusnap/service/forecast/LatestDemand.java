package io.gpusnap.service.forecast;

import java.time.Duration;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * The last that is known of a model's demand, as it was reported. What is older than whoever asks bears is not known to him.
 *
 * @param report the last whole report; null: none yet
 * @param desired what an autoscaler or a deployment wanted last; null: it never said
 */
public record LatestDemand(
        @Nullable Report report, @Nullable Desired desired) {

    /** A report, and how old it is by the database's clock. */
    public record Report(double requestsPerSecond, int queueDepth, int replicas, Duration age) {}

    /** Replicas that are wanted, and how long ago that was said. */
    public record Desired(int replicas, Duration age) {}

    /** The value now; empty if nobody has said anything about it lately. Of the two who want replicas, the greater one counts. */
    public OptionalDouble value(Signal signal, Duration staleAfter) {
        Report known = report != null && report.age().compareTo(staleAfter) <= 0 ? report : null;
        if (signal == Signal.REPLICAS) {
            Desired wanted = desired != null && desired.age().compareTo(staleAfter) <= 0 ? desired : null;
            if (known == null && wanted == null) {
                return OptionalDouble.empty();
            }
            return OptionalDouble.of(
                    Math.max(known == null ? 0 : known.replicas(), wanted == null ? 0 : wanted.replicas()));
        }
        if (known == null) {
            return OptionalDouble.empty();
        }
        return OptionalDouble.of(signal == Signal.REQUEST_RATE ? known.requestsPerSecond() : known.queueDepth());
    }
}
