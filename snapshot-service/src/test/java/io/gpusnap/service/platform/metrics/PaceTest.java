package io.gpusnap.service.platform.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PaceTest {
    private static final long SECOND = 1_000_000_000;

    private long now = 1_000_000;
    private int runs;

    private final Pace pace = new Pace(() -> now);

    private void after(long nanos, long takes) {
        now += nanos;
        pace.run(() -> {
            now += takes;
            runs++;
        });
    }

    @Test
    void whatTakesLongRests() {
        after(0, SECOND);
        after(499 * SECOND, SECOND);
        assertThat(runs).isEqualTo(1);

        after(SECOND, SECOND);
        assertThat(runs).isEqualTo(2);
    }

    @Test
    void whatIsCheapRunsEachTime() {
        after(0, SECOND / 10);
        after(0, SECOND / 10);

        assertThat(runs).isEqualTo(2);
    }
}
