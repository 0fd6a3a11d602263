package io.gpusnap.node.engine;

import io.gpusnap.node.tier.TierUsage;
import io.gpusnap.node.tier.pack.PackTier;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Looks at the shared tiers now and then, on a thread of its own: whoever asks gets the last answer at once, and a store that
 * hangs keeps no heartbeat waiting. Only the first look is waited for, and not for long: a node that tells of no shared tier gets
 * nothing to thaw from one, though it has just begun.
 */
final class TierWatch implements AutoCloseable {

    private static final long PERIOD_MILLIS = 15_000;
    private static final Duration FIRST_LOOK = Duration.ofSeconds(2);

    private final List<PackTier> tiers;
    private final Map<String, TierState> seen = new ConcurrentHashMap<>();
    private final CountDownLatch firstLook = new CountDownLatch(1);
    private final long firstLookEndsNanos;
    private final Optional<Thread> thread;

    TierWatch(List<PackTier> tiers) {
        this(tiers, FIRST_LOOK);
    }

    /** @param patience from now, with a first look that has not ended */
    TierWatch(List<PackTier> tiers, Duration patience) {
        this.tiers = tiers;
        this.firstLookEndsNanos = System.nanoTime() + patience.toNanos();
        this.thread = tiers.isEmpty()
                ? Optional.empty()
                : Optional.of(Thread.ofPlatform().daemon().name("tier-watch").start(this::watch));
    }

    private void watch() {
        try {
            while (true) {
                for (PackTier tier : tiers) {
                    seen.put(tier.name(), Tiers.state(tier));
                }
                firstLook.countDown();
                Thread.sleep(PERIOD_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    TierState last(PackTier tier) {
        awaitFirstLook();
        TierState last = seen.get(tier.name());
        if (last == null) {
            return new TierState(
                    tier.name(),
                    new TierUsage(tier.kind(), tier.store().location(), 0, 0, 0),
                    tier.knownStoreId(),
                    Optional.of("it has not answered yet"));
        }
        // Trouble that an operation has met since is newer.
        return tier.trouble().isPresent()
                ? new TierState(last.name(), last.usage(), last.storeId(), tier.trouble())
                : last;
    }

    private void awaitFirstLook() {
        try {
            firstLook.await(firstLookEndsNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        thread.ifPresent(Thread::interrupt);
    }
}
