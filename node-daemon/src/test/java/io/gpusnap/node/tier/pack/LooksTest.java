package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LooksTest {

    private final AtomicInteger looked = new AtomicInteger();

    private void fail() throws TierException {
        looked.incrementAndGet();
        throw new TierException(Reason.UNAVAILABLE, "the bucket says nothing");
    }

    private static void assertItFails(Looks looks, long asked) {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> looks.since(asked))
                .withMessage("the bucket says nothing")
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.UNAVAILABLE));
    }

    @Test
    void aLookThatFailsIsThatOfAllWhoHadAskedForIt() {
        Looks looks = new Looks(this::fail);
        long asked = System.nanoTime();

        assertItFails(looks, asked);
        assertItFails(looks, asked);

        assertThat(looked).hasValue(1);
    }

    @Test
    void whoAsksAfterwardsLooksAnew() throws TierException {
        // given
        Looks looks = new Looks(() -> {
            if (looked.get() == 0) {
                fail();
            }
            looked.incrementAndGet();
        });
        long asked = System.nanoTime();
        assertItFails(looks, asked);

        // when
        looks.since(asked + TimeUnit.HOURS.toNanos(1));
        looks.since(asked);

        // then
        assertThat(looked).hasValue(2);
    }

    @Test
    void aLookThatWasInterruptedIsNobodyElses() throws TierException {
        // given
        Looks looks = new Looks(() -> {
            if (looked.incrementAndGet() == 1) {
                Thread.currentThread().interrupt();
                throw new TierException(Reason.UNAVAILABLE, "interrupted");
            }
        });
        long asked = System.nanoTime();
        assertThatExceptionOfType(TierException.class).isThrownBy(() -> looks.since(asked));
        assertThat(Thread.interrupted()).isTrue();

        // when
        looks.since(asked);

        // then
        assertThat(looked).hasValue(2);
    }

    @Test
    void aWaitForSomebodyElsesLookEndsWithAnInterrupt() throws Exception {
        // given a look that does not end, and somebody who waits for it
        CountDownLatch looking = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        Looks looks = new Looks(() -> {
            looking.countDown();
            awaitQuietly(answer);
        });
        Thread.ofVirtual().start(new FutureTask<>(() -> {
            looks.anew();
            return null;
        }));
        looking.await();
        FutureTask<Boolean> waiting = new FutureTask<>(() -> {
            assertThatExceptionOfType(TierException.class)
                    .isThrownBy(() -> looks.since(System.nanoTime()))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.UNAVAILABLE));
            return Thread.currentThread().isInterrupted();
        });
        Thread waiter = Thread.ofPlatform().start(waiting);
        while (waiter.getState() == Thread.State.NEW || waiter.getState() == Thread.State.RUNNABLE) {
            Thread.onSpinWait();
        }

        // when
        waiter.interrupt();

        // then
        try {
            assertThat(waiting.get(1, TimeUnit.MINUTES)).isTrue();
        } finally {
            answer.countDown();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @AfterEach
    void noInterruptIsLeft() {
        assertThat(Thread.interrupted()).isFalse();
    }
}
