package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.transaction.AfterCommit;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Locale;
import org.springframework.stereotype.Component;

/** Meters of copies and moves. */
@Component
class CopyMetrics {
    static final String CORRUPT = "gpusnap.copies.corrupt";
    static final String MOVED = "gpusnap.moved.bytes";
    static final String STORED = "gpusnap.moved.stored.bytes";
    static final String SCRUBBED = "gpusnap.scrubbed.bytes";

    private final MeterRegistry registry;

    CopyMetrics(MeterRegistry registry) {
        this.registry = registry;
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
