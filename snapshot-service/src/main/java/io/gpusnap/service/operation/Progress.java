package io.gpusnap.service.operation;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How far an operation is as a whole: bytes of all stages that move bytes, rate and remaining time of the running one.
 *
 * @param bytesTotal absent while no stage knows
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Progress(
        long bytesDone,
        @Nullable Long bytesTotal,
        @Nullable Double bytesPerSecond,
        @Nullable Double remainingSeconds) {

    public static Progress of(List<StageReport> stages) {
        long done = stages.stream()
                .map(StageReport::bytesDone)
                .filter(Objects::nonNull)
                .mapToLong(Long::longValue)
                .sum();
        boolean known = stages.stream().anyMatch(stage -> stage.bytesTotal() != null);
        long total = stages.stream()
                .map(StageReport::bytesTotal)
                .filter(Objects::nonNull)
                .mapToLong(Long::longValue)
                .sum();
        return stages.stream()
                .filter(stage -> stage.state() == StageReport.State.RUNNING)
                .findFirst()
                .map(stage ->
                        new Progress(done, known ? total : null, stage.bytesPerSecond(), stage.remainingSeconds()))
                .orElseGet(() -> new Progress(done, known ? total : null, null, null));
    }
}
