package io.gpusnap.node.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressTest {

    private final AtomicLong nanos = new AtomicLong();
    private final Progress progress = new Progress(nanos::get);

    @Test
    void aSteadyRateIsToldWithTheTimeThatRemains() {
        progress.setTotalBytes(10_000);
        for (int second = 0; second < 4; second++) {
            nanos.addAndGet(1_000_000_000);
            progress.addBytes(1_000);
            progress.snapshot();
        }

        ProgressSnapshot now = progress.snapshot();

        assertThat(now.doneBytes()).isEqualTo(4_000);
        assertThat(now.bytesPerSecond()).isCloseTo(1_000, within(1.0));
        assertThat(now.remainingSeconds().orElseThrow()).isCloseTo(6, within(0.1));
    }

    @Test
    void aBurstDoesNotTakeTheRateAway() {
        nanos.addAndGet(1_000_000_000);
        progress.addBytes(1_000);
        progress.snapshot();
        nanos.addAndGet(1_000_000_000);
        progress.addBytes(10_000);

        assertThat(progress.snapshot().bytesPerSecond()).isBetween(1_000.0, 5_000.0);
    }

    @Test
    void withoutTotalOrRateNothingIsSaidAboutTheRest() {
        progress.addBytes(5);
        assertThat(progress.snapshot().remainingSeconds()).isEmpty();
        progress.setTotalBytes(10);
        assertThat(progress.snapshot().remainingSeconds()).isEmpty();
    }
}
