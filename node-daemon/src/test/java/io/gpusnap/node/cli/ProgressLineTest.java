package io.gpusnap.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.ProgressSnapshot;
import io.gpusnap.node.operation.StageState;
import io.gpusnap.node.operation.StageStatus;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class ProgressLineTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    @Test
    void aRunningStageShowsBytesRateAndWhatRemains() {
        ProgressSnapshot progress =
                new ProgressSnapshot(3L << 30, 16L << 30, 50.0 * (1L << 30), OptionalDouble.of(0.26));
        assertThat(ProgressLine.running(status("drain", StageState.RUNNING, progress)))
                .isEqualTo("drain  3.0 GiB of 16.0 GiB  19 %  50.0 GiB/s  0.3 s left");
    }

    @Test
    void whatIsUnknownIsLeftOut() {
        assertThat(ProgressLine.running(status("quiesce", StageState.RUNNING, ProgressSnapshot.NONE)))
                .isEqualTo("quiesce");
        assertThat(ProgressLine.running(
                        status("store", StageState.RUNNING, new ProgressSnapshot(1500, 0, 0, OptionalDouble.empty()))))
                .isEqualTo("store  1.5 KiB");
    }

    @Test
    void aFinishedStageShowsItsTimeAndBytes() {
        ProgressSnapshot progress = new ProgressSnapshot(16L << 30, 16L << 30, 0, OptionalDouble.empty());
        assertThat(ProgressLine.finished(status("fill", StageState.SUCCEEDED, progress)))
                .isEqualTo("fill  done in 2.5 s, 16.0 GiB");
        assertThat(ProgressLine.finished(status("fill", StageState.FAILED, progress)))
                .isEqualTo("fill  failed");
    }

    @Test
    void longTimesAreMinutes() {
        assertThat(Texts.seconds(125)).isEqualTo("2:05 min");
        assertThat(Texts.seconds(59.94)).isEqualTo("59.9 s");
    }

    private static StageStatus status(String name, StageState state, ProgressSnapshot progress) {
        return new StageStatus(name, state, 1, Optional.of(START), Optional.of(START.plusMillis(2500)), progress);
    }
}
