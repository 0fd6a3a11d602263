package io.gpusnap.service.policy.rules;

import java.util.Comparator;

/** Which snapshot of a version is the one that comes back. */
final class Newest {
    static final Comparator<Facts.SnapshotFacts> FIRST = Comparator.comparing(Facts.SnapshotFacts::readyAt)
            .reversed()
            .thenComparing(snapshot -> snapshot.id().value());

    private Newest() {}

    /** Whether no other snapshot of its version is newer. */
    static boolean isIt(Facts facts, Facts.SnapshotFacts snapshot) {
        return facts.snapshots().stream()
                .filter(other -> other.model().equals(snapshot.model())
                        && other.version().equals(snapshot.version()))
                .min(FIRST)
                .filter(snapshot::equals)
                .isPresent();
    }
}
