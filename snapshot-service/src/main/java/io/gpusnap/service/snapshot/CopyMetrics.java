package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.metrics.CountGauges;
import io.gpusnap.service.platform.metrics.Pace;
import io.gpusnap.service.platform.transaction.AfterCommit;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Locale;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Meters of copies and moves. */
@Component
class CopyMetrics {
    static final String CORRUPT = "gpusnap.copies.corrupt";
    static final String MOVED = "gpusnap.moved.bytes";
    static final String STORED = "gpusnap.moved.stored.bytes";
    static final String SCRUBBED = "gpusnap.scrubbed.bytes";

    static final String UNREADABLE = "gpusnap.copies.unreadable";

    private final MeterRegistry registry;
    private final LocationStore locations;
    private final CountGauges<Unreadable> unreadable;
    private final Pace pace = new Pace();

    CopyMetrics(MeterRegistry registry, LocationStore locations) {
        this.registry = registry;
        this.locations = locations;
        this.unreadable = new CountGauges<>(registry, UNREADABLE, "reason", Unreadable.class);
    }

    @Scheduled(fixedDelayString = "PT5S")
    void count() {
        // It reads every copy.
        pace.run(this::read);
    }

    void read() {
        unreadable.update(locations.countUnreadable());
    }

    void corrupt(Inventory.TierKind kind) {
        add(CORRUPT, kind, 1);
    }

    /** A transfer into a tier of this kind is done. */
    void moved(Inventory.TierKind kind, long movedBytes, long storedBytes) {
        add(MOVED, kind, movedBytes);
        add(STORED, kind, storedBytes);
    }

    void scrubbed(Inventory.TierKind kind, long bytes) {
        add(SCRUBBED, kind, bytes);
    }

    private void add(String meter, Inventory.TierKind kind, long amount) {
        AfterCommit.run(() -> registry.counter(meter, "tier", kind.name().toLowerCase(Locale.ROOT))
                .increment(amount));
    }
}
