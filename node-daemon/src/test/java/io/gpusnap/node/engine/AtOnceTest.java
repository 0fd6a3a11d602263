package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class AtOnceTest {

    @Test
    void eachGoesOnWhileTheOthersWait() throws Exception {
        // given three that each wait for all to have begun
        CountDownLatch begun = new CountDownLatch(3);
        AtomicInteger done = new AtomicInteger();
        AtOnce.Look look = () -> {
            begun.countDown();
            begun.await();
            done.incrementAndGet();
        };
        // when
        AtOnce.run(Stream.of(look, look, look));
        // then
        assertThat(done).hasValue(3);
        AtOnce.run(Stream.empty());
    }

    @Test
    void theFirstInOrderSaysWhyThoughAnotherFailedBefore() {
        // given
        CountDownLatch laterFailed = new CountDownLatch(1);
        AtomicInteger ended = new AtomicInteger();
        // when, then
        assertThatExceptionOfType(StageException.class)
                .isThrownBy(() -> AtOnce.run(Stream.of(
                        () -> {
                            laterFailed.await();
                            throw new StageException(FailureCode.GPU_MISMATCH, "the first");
                        },
                        () -> {
                            laterFailed.countDown();
                            throw new StageException(FailureCode.DRIVER_FAILED, "the second");
                        },
                        () -> {
                            laterFailed.await();
                            ended.incrementAndGet();
                        })))
                .satisfies(e -> assertThat(e.code()).isEqualTo(FailureCode.GPU_MISMATCH));
        assertThat(ended).hasValue(1);
    }

    @Test
    void whatBreaksLeavesAsItIs() {
        IllegalStateException broken = new IllegalStateException("broken");
        assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(() -> AtOnce.run(Stream.of(() -> {}, () -> {
                    throw broken;
                })))
                .isSameAs(broken);
    }
}
