package io.gpusnap.service.snapshot;

import io.gpusnap.service.platform.metrics.CountGauges;
import io.gpusnap.service.platform.metrics.Pace;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Meters of snapshots. */
@Component
class SnapshotMetrics {
    static final String SNAPSHOTS = "gpusnap.snapshots";
    static final String BYTES = "gpusnap.snapshot.bytes";
    static final String OLDEST_DELETION = "gpusnap.deletions.oldest";

    /** {@code logical}: what the processes had; {@code stored}: what their snapshots added to the stores. */
    private enum Kind {
        LOGICAL,
        STORED
    }

    private final SnapshotStore store;
    private final CountGauges<SnapshotState> counts;
    private final CountGauges<Kind> bytes;
    private final Pace pace = new Pace();
    private final Pace deletionPace = new Pace();
    private volatile double oldestDeletionSeconds;

    SnapshotMetrics(SnapshotStore store, MeterRegistry registry) {
        this.store = store;
        this.counts = new CountGauges<>(registry, SNAPSHOTS, "state", SnapshotState.class);
        this.bytes = new CountGauges<>(registry, BYTES, "kind", Kind.class);
        TimeGauge.builder(OLDEST_DELETION, () -> oldestDeletionSeconds, TimeUnit.SECONDS)
                .description("For how long the snapshot that is DELETING for longest has been so; 0 where none is")
                .register(registry);
    }

    @Scheduled(fixedDelayString = "PT5S")
    void count() {
        // Both read every snapshot: a second or more where there are millions.
        pace.run(this::read);
        deletionPace.run(this::readDeletions);
    }

    void readDeletions() {
        oldestDeletionSeconds = store.oldestDeletionSeconds();
    }

    private void read() {
        counts.update(store.countByState());
        SnapshotStore.Bytes now = store.readyBytes();
        bytes.update(Map.of(Kind.LOGICAL, now.logical(), Kind.STORED, now.stored()));
    }
}
