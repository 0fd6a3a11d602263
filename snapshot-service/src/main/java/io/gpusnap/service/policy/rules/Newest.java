package io.gpusnap.service.policy.rules;

import io.gpusnap.service.platform.id.SnapshotId;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Which snapshots of their versions are those that come back. Found once for an evaluation: there may be very many. */
final class Newest {
    static final Comparator<Facts.SnapshotFacts> FIRST = Comparator.comparing(Facts.SnapshotFacts::readyAt)
            .reversed()
            .thenComparing(snapshot -> snapshot.id().value());

    private final Set<SnapshotId> ids;

    private record Version(String model, String name) {}

    Newest(Facts facts) {
        Map<Version, Facts.SnapshotFacts> newest = new HashMap<>();
        for (Facts.SnapshotFacts snapshot : facts.snapshots()) {
            newest.merge(
                    new Version(snapshot.model(), snapshot.version()),
                    snapshot,
                    (one, other) -> FIRST.compare(one, other) <= 0 ? one : other);
        }
        ids = newest.values().stream().map(Facts.SnapshotFacts::id).collect(Collectors.toUnmodifiableSet());
    }

    /** Whether no other snapshot of its version is newer. */
    boolean has(Facts.SnapshotFacts snapshot) {
        return ids.contains(snapshot.id());
    }
}
