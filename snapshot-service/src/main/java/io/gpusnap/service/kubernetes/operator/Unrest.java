package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.Snapshots;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Pods that would not come to rest: they are left alone for a while, so that attempts are not used up on one busy minute. */
@KubernetesComponent
class Unrest {
    private static final Set<ErrorCode> NOT_NOW = Set.of(ErrorCode.QUIESCE_TIMEOUT, ErrorCode.WORKLOAD_REFUSED);

    private final Snapshots snapshots;
    private final DatabaseClock clock;

    Unrest(Snapshots snapshots, DatabaseClock clock) {
        this.snapshots = snapshots;
        this.clock = clock;
    }

    /**
     * How long it is until the next attempt; zero or less when it may be made.
     *
     * @param failed attempts before it
     */
    Duration left(SnapshotPolicySpec policy, List<PodSnapshot> failed) {
        return failed.stream()
                .flatMap(attempt -> refusedAt(attempt).stream())
                .max(Comparator.naturalOrder())
                .map(at -> Duration.between(
                        clock.now(), at.plusSeconds(policy.quiesceOrDefault().retryAfter())))
                .orElse(Duration.ZERO);
    }

    private Optional<Instant> refusedAt(PodSnapshot attempt) {
        return Optional.ofNullable(attempt.getStatus())
                .flatMap(status -> Optional.ofNullable(status.snapshotId()))
                .map(SnapshotId::of)
                // a database from before it knows nothing of it
                .flatMap(snapshots::find)
                .filter(snapshot -> snapshot.failure()
                        .filter(failure -> NOT_NOW.contains(failure.code()))
                        .isPresent())
                .map(Snapshot::updatedAt);
    }
}
