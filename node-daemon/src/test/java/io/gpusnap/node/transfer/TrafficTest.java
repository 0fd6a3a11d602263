package io.gpusnap.node.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TrafficTest {

    @Test
    void aBucketGivesItsRateAndNoMoreAfterAQuietHour() {
        // given a clock of our own
        AtomicLong now = new AtomicLong();
        TokenBucket bucket = new TokenBucket(1000, now::get);
        // then what is taken is waited for
        assertThat(bucket.takeNanos(500)).isEqualTo(500_000_000L);
        now.addAndGet(500_000_000L);
        assertThat(bucket.takeNanos(1000)).isEqualTo(1_000_000_000L);
        // when nobody takes anything for an hour
        now.addAndGet(3_600_000_000_000L);
        // then one second's worth is there
        assertThat(bucket.takeNanos(1000)).isZero();
        assertThat(bucket.takeNanos(1000)).isEqualTo(1_000_000_000L);
    }

    @Test
    void copiesStandStillWhileSomebodyWaits() throws Exception {
        // given
        Traffic traffic = new Traffic(0);
        Traffic.Urgent thaw = traffic.urgent();
        CountDownLatch moved = new CountDownLatch(1);
        Thread copy = Thread.ofVirtual().start(() -> take(traffic.share(0, true), moved));
        // then what does not yield goes on, and what does, does not
        traffic.share(0, false).take(1, () -> {});
        assertThat(moved.await(100, TimeUnit.MILLISECONDS)).isFalse();
        // when
        thaw.close();
        thaw.close();
        // then
        copy.join();
        assertThat(moved.getCount()).isZero();
    }

    @Test
    void whoStandsStillCanBeCancelled() {
        Traffic traffic = new Traffic(0);
        traffic.urgent();
        assertThatThrownBy(() -> traffic.share(0, true).take(1, () -> {
                    throw new IllegalStateException("cancelled");
                }))
                .hasMessage("cancelled");
        assertThatThrownBy(() -> new Traffic(1).share(0, false).take(1 << 20, new CancelSoon()))
                .hasMessage("cancelled");
    }

    private static final class CancelSoon implements Runnable {
        private int asked;

        @Override
        public void run() {
            if (asked++ > 2) {
                throw new IllegalStateException("cancelled");
            }
        }
    }

    private static void take(Traffic.Share share, CountDownLatch moved) {
        try {
            share.take(1, () -> {});
            moved.countDown();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
