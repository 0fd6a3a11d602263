package io.gpusnap.node.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TrafficTest {

    private static final Duration HOUR = Duration.ofHours(1);

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
    void aBucketWhoseRateChangesOwesWhatItOwed() {
        AtomicLong now = new AtomicLong();
        TokenBucket bucket = new TokenBucket(1000, now::get);
        assertThat(bucket.takeNanos(1000)).isEqualTo(1_000_000_000L);

        bucket.rate(500);

        assertThat(bucket.takeNanos(0)).isEqualTo(2_000_000_000L);
    }

    @Test
    void everyCopyStandsStillWhileSomebodyWaitsForAThaw() throws Exception {
        for (Traffic.Priority priority : Traffic.Priority.values()) {
            // given
            Traffic traffic = new Traffic(0);
            Traffic.Urgent thaw = traffic.urgent();
            CountDownLatch moved = new CountDownLatch(1);
            Thread copy = Thread.ofVirtual().start(() -> take(traffic.share(priority, 0), moved));
            assertThat(moved.await(100, TimeUnit.MILLISECONDS)).isFalse();
            // when
            thaw.close();
            thaw.close();
            // then
            copy.join();
            assertThat(moved.getCount()).isZero();
        }
    }

    @Test
    void copiesStandStillForMoreUrgentOnesUntilThoseAreOver() throws Exception {
        // given a demotion under way, which goes on as long as it is alone
        Traffic traffic = new Traffic(0);
        Traffic.Share demotion = traffic.move(Traffic.Priority.BACKGROUND, 0);
        demotion.take(1, () -> {});
        // when a repair comes, and a copy that somebody expects to need
        Traffic.Share repair = traffic.move(Traffic.Priority.NORMAL, 0);
        Traffic.Share prefetch = traffic.move(Traffic.Priority.URGENT, 0);
        // then the most urgent one goes on, and the others stand
        prefetch.take(1, () -> {});
        assertStands(repair);
        assertStands(demotion);
        // when it is over, then the next one goes on
        prefetch.close();
        prefetch.close();
        repair.take(1, () -> {});
        assertStands(demotion);
        repair.close();
        demotion.take(1, () -> {});
    }

    @Test
    void movesShareWhatAllOfThemMayTake() throws Exception {
        // given a clock that goes on whenever somebody waits
        AtomicLong now = new AtomicLong();
        Runnable waits = () -> now.addAndGet(250_000_000L);
        Traffic traffic = new Traffic(0, HOUR, now::get);
        // when one is alone
        Traffic.Share one = traffic.move(Traffic.Priority.NORMAL, 1000);
        long alone = nanosFor(now, () -> one.take(4000, waits::run));
        // then it has all of it
        assertThat(alone).isBetween(3_500_000_000L, 4_500_000_000L);
        // when there are three, an urgent one not excepted
        Traffic.Share other = traffic.move(Traffic.Priority.NORMAL, 1000);
        long ofTwo = nanosFor(now, () -> {
            one.take(2000, waits::run);
            other.take(2000, waits::run);
        });
        Traffic.Share urgent = traffic.move(Traffic.Priority.URGENT, 1000);
        long ofUrgent = nanosFor(now, () -> urgent.take(4000, waits::run));
        // then all of them together have no more
        assertThat(ofTwo).isBetween(3_500_000_000L, 5_000_000_000L);
        assertThat(ofUrgent).isBetween(3_500_000_000L, 4_500_000_000L);
    }

    @Test
    void theLowestBoundThatARunningMoveIsToldHolds() throws Exception {
        AtomicLong now = new AtomicLong();
        Runnable waits = () -> now.addAndGet(250_000_000L);
        Traffic traffic = new Traffic(0, HOUR, now::get);
        Traffic.Share one = traffic.move(Traffic.Priority.NORMAL, 4000);
        Traffic.Share slow = traffic.move(Traffic.Priority.NORMAL, 1000);

        long both = nanosFor(now, () -> one.take(4000, waits::run));
        slow.close();
        long alone = nanosFor(now, () -> one.take(16_000, waits::run));

        assertThat(both).isBetween(3_500_000_000L, 4_500_000_000L);
        assertThat(alone).isBetween(3_500_000_000L, 4_500_000_000L);
    }

    @Test
    void whatIsNoMoveTakesFromWhatMovesAreTold() throws Exception {
        // given a scrub with a bound of its own, a verification without one, and a copy that is told what the node may
        // take
        AtomicLong now = new AtomicLong();
        Runnable waits = () -> now.addAndGet(250_000_000L);
        Traffic traffic = new Traffic(0, HOUR, now::get);
        Traffic.Share scrub = traffic.share(Traffic.Priority.URGENT, 2000);
        Traffic.Share verification = traffic.share(Traffic.Priority.URGENT, 0);
        // when nothing has been told yet, then each goes as fast as it may by itself
        assertThat(nanosFor(now, () -> verification.take(1 << 30, () -> {}))).isZero();
        assertThat(nanosFor(now, () -> scrub.take(8000, waits::run))).isBetween(3_500_000_000L, 4_500_000_000L);
        // when it is told, then all of them share it
        Traffic.Share move = traffic.move(Traffic.Priority.URGENT, 1000);
        long together = nanosFor(now, () -> {
            verification.take(2000, waits::run);
            scrub.take(1000, waits::run);
            move.take(1000, waits::run);
        });
        assertThat(together).isBetween(3_500_000_000L, 5_000_000_000L);
        // when the copy is over, then it holds as it was told
        move.close();
        assertThat(nanosFor(now, () -> verification.take(4000, waits::run))).isBetween(3_500_000_000L, 4_500_000_000L);
        // until one is told that there is no bound
        traffic.move(Traffic.Priority.URGENT, 0).close();
        assertThat(nanosFor(now, () -> verification.take(1 << 30, () -> {}))).isZero();
    }

    @Test
    void aMoveThatHasStoodStillForTooLongEndsToBeAskedForAgain() throws Exception {
        // given a clock that goes on by ten minutes whenever somebody who stands still looks at it
        AtomicLong now = new AtomicLong();
        Runnable waits = () -> now.addAndGet(600_000_000_000L);
        Traffic traffic = new Traffic(0, HOUR, () -> now.getAndAdd(300_000_000_000L));
        Traffic.Share demotion = traffic.move(Traffic.Priority.BACKGROUND, 0);
        Traffic.Share scrub = traffic.share(Traffic.Priority.BACKGROUND, 0);
        demotion.take(1, waits::run);
        // when, then
        Traffic.Urgent thaw = traffic.urgent();
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> demotion.take(1, waits::run))
                .withMessageContaining("tiers.standStillSeconds")
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.PREEMPTED));
        // and what keeps nobody waiting may stand on
        int[] asked = {0};
        assertThatThrownBy(() -> scrub.take(1, () -> {
                    waits.run();
                    if (asked[0]++ == 50) {
                        throw new IllegalStateException("cancelled");
                    }
                }))
                .hasMessage("cancelled");
        thaw.close();
    }

    @Test
    void whatAMoveHasStoodStillAddsUpAndWhatItHasMovedDoesNot() throws Exception {
        AtomicLong now = new AtomicLong();
        Traffic traffic = new Traffic(0, HOUR, () -> now.getAndAdd(60_000_000_000L));
        Traffic.Share demotion = traffic.move(Traffic.Priority.BACKGROUND, 0);
        for (int turn = 0; turn < 2; turn++) {
            // given it stands still for at least twenty minutes, and moves on for a day
            Traffic.Urgent thaw = traffic.urgent();
            int[] asked = {0};
            demotion.take(1, () -> {
                if (asked[0]++ == 20) {
                    thaw.close();
                }
            });
            now.addAndGet(86_400_000_000_000L);
        }
        // when, then
        traffic.urgent();
        int[] asked = {0};
        assertThatExceptionOfType(TierException.class).isThrownBy(() -> demotion.take(1, () -> asked[0]++));
        assertThat(asked[0]).isBetween(15, 25);
    }

    /** On the clock of the test, which moves only when somebody waits. */
    private static long nanosFor(AtomicLong now, Step step) throws TierException, InterruptedException {
        long before = now.get();
        step.run();
        return now.get() - before;
    }

    private interface Step {
        void run() throws TierException, InterruptedException;
    }

    private static void assertStands(Traffic.Share share) {
        assertThatThrownBy(() -> share.take(1, new CancelSoon()::run)).hasMessage("cancelled");
    }

    @Test
    void whoStandsStillCanBeCancelled() {
        Traffic traffic = new Traffic(0);
        traffic.urgent();
        assertThatThrownBy(() -> traffic.share(Traffic.Priority.NORMAL, 0).take(1, () -> {
                    throw new IllegalStateException("cancelled");
                }))
                .hasMessage("cancelled");
        assertThatThrownBy(
                        () -> new Traffic(1).share(Traffic.Priority.URGENT, 0).take(1 << 20, new CancelSoon()::run))
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
        } catch (TierException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
