package io.gpusnap.node.engine;

import io.gpusnap.node.store.SnapshotId;
import java.util.List;

/** One finding for each snapshot that was asked about. */
public record ScrubOutcome(long readBytes, double seconds, List<Finding> findings) {

    /** UNREADABLE: the tier did not answer, so nothing is known. */
    public enum Verdict {
        GOOD,
        CORRUPT,
        MISSING,
        UNREADABLE
    }

    /** @param detail what is wrong; "" for nothing */
    public record Finding(SnapshotId snapshot, Verdict verdict, String detail) {}

    public ScrubOutcome {
        findings = List.copyOf(findings);
    }
}
