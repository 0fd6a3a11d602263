package io.gpusnap.service.snapshot;

import io.gpusnap.service.platform.metrics.CountGauges;
import io.gpusnap.service.platform.metrics.Pace;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Meters of snapshots. */
@Component
class SnapshotMetrics {
    static final String SNAPSHOTS = "gpusnap.snapshots";
    static final String BYTES = "gpusnap.snapshot.bytes";

    /** {@code logical}: what the processes had; {@code stored}: what their snapshots added to the stores. */
    private enum Kind {
        LOGICAL,
        STORED
    }

    private final SnapshotStore store;
    private final CountGauges<SnapshotState> counts;
    private final CountGauges<Kind> bytes;
    private final Pace pace = new Pace();

    SnapshotMetrics(SnapshotStore store, MeterRegistry registry) {
        this.store = store;
        this.counts = new CountGauges<>(registry, SNAPSHOTS, "state", SnapshotState.class);
        this.bytes = new CountGauges<>(registry, BYTES, "kind", Kind.class);
    }

    @Scheduled(fixedDelayString = "PT5S")
    void count() {
        // Both read every snapshot: a second or more where there are millions.
        pace.run(this::read);
    }

    private void read() {
        counts.update(store.countByState());
        SnapshotStore.Bytes now = store.readyBytes();
        bytes.update(Map.of(Kind.LOGICAL, now.logical(), Kind.STORED, now.stored()));
    }
}
