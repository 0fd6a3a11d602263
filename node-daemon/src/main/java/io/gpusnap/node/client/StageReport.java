package io.gpusnap.node.client;

import io.gpusnap.node.operation.StageState;
import io.gpusnap.node.operation.StageStatus;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** One stage as the service shows it; what is unknown is absent. */
public record StageReport(
        String name,
        StageState state,
        int attempt,
        @Nullable Instant startedAt,
        @Nullable Instant finishedAt,
        long bytesDone,
        @Nullable Long bytesTotal,
        @Nullable Double bytesPerSecond,
        @Nullable Double remainingSeconds) {

    public static StageReport of(StageStatus status) {
        long total = status.progress().totalBytes();
        double rate = status.progress().bytesPerSecond();
        return new StageReport(
                status.name(),
                status.state(),
                status.attempt(),
                status.startedAt().orElse(null),
                status.finishedAt().orElse(null),
                status.progress().doneBytes(),
                total > 0 ? total : null,
                rate > 0 ? rate : null,
                status.progress().remainingSeconds().isPresent()
                        ? status.progress().remainingSeconds().getAsDouble()
                        : null);
    }
}
