package io.gpusnap.node.engine;

import io.gpusnap.node.tier.TierUsage;
import io.gpusnap.node.tier.pack.PackTier;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Looks at the shared tiers now and then, on a thread of its own: whoever asks gets the last answer at once, and a store that
 * hangs keeps no heartbeat waiting.
 */
final class TierWatch implements AutoCloseable {

    private static final long PERIOD_MILLIS = 15_000;

    private final List<PackTier> tiers;
    private final Map<String, TierState> seen = new ConcurrentHashMap<>();
    private final Optional<Thread> thread;

    TierWatch(List<PackTier> tiers) {
        this.tiers = tiers;
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
                Thread.sleep(PERIOD_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    TierState last(PackTier tier) {
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

    @Override
    public void close() {
        thread.ifPresent(Thread::interrupt);
    }
}
