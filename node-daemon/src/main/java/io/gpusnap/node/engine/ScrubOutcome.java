package io.gpusnap.node.engine;

import io.gpusnap.node.store.SnapshotId;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One finding for each snapshot that was asked about. */
public record ScrubOutcome(long readBytes, double seconds, List<Finding> findings) {

    /** UNREADABLE: it could not be read here and now, so nothing is known of it. */
    public enum Verdict {
        GOOD,
        CORRUPT,
        MISSING,
        UNREADABLE
    }

    /** Why a copy was not read: names of the service's API. */
    public enum Unread {
        /** This node cannot open what it is encrypted by. */
        NO_KEY,
        /** This node asks for signatures, and trusts nobody who has signed it. */
        UNTRUSTED_SIGNER,
        /** The tier did not answer, or is in trouble. */
        NO_ANSWER,
        /** Somebody works with it now. */
        IN_USE
    }

    /**
     * What was found of one snapshot.
     *
     * @param detail what is wrong; "" for nothing
     * @param unread present exactly when it is UNREADABLE
     * @param copyBytes of one that is GOOD, what its chunks take in the tier; null where that cannot be told, of others, and in the
     *     journal of an older daemon
     */
    public record Finding(
            SnapshotId snapshot,
            Verdict verdict,
            String detail,
            Optional<Unread> unread,
            @Nullable Long copyBytes) {

        static Finding good(SnapshotId snapshot, Optional<Long> copyBytes) {
            return new Finding(snapshot, Verdict.GOOD, "", Optional.empty(), copyBytes.orElse(null));
        }

        /** @param verdict CORRUPT or MISSING */
        static Finding wrong(SnapshotId snapshot, Verdict verdict, String detail) {
            return new Finding(snapshot, verdict, detail, Optional.empty(), null);
        }

        static Finding unread(SnapshotId snapshot, Unread why, String detail) {
            return new Finding(snapshot, Verdict.UNREADABLE, detail, Optional.of(why), null);
        }
    }

    public ScrubOutcome {
        findings = List.copyOf(findings);
    }
}
