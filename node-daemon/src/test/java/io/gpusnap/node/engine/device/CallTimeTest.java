package io.gpusnap.node.engine.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuStatus;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class CallTimeTest {

    private static final long SECOND = 1_000_000_000;

    private final AtomicLong clock = new AtomicLong(7);
    private final CallTime time = new CallTime(clock::get);

    private String takes(int seconds) {
        clock.addAndGet(seconds * SECOND);
        return "answer";
    }

    @Test
    void whatIsBetweenCallsDoesNotCount() throws Exception {
        assertThat(time.of(() -> takes(2))).isEqualTo("answer");
        takes(100);
        time.of(() -> takes(3));
        assertThat(time.seconds()).isEqualTo(5.0);
    }

    @Test
    void callsAtOnceCountOnce() throws Exception {
        time.of(() -> {
            takes(1);
            time.of(() -> takes(2)); // begins later and ends before
            return takes(4);
        });
        assertThat(time.seconds()).isEqualTo(7.0);
    }

    @Test
    void aCallThatFailsCounts() {
        assertThatExceptionOfType(GpuException.class)
                .isThrownBy(() -> time.of(() -> {
                    takes(2);
                    throw new GpuException(GpuStatus.DRIVER, "a test says so");
                }));
        assertThat(time.seconds()).isEqualTo(2.0);
    }
}
