package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What keeps a copy where it is: an operation that reads the snapshot, until it ends or its lease does, and that there is no other
 * good one that can be had. Asked under the snapshot's lock, which whoever begins to read takes too: so nobody begins between the answer and the
 * removal.
 */
public final class CopyGuard {

    private static final Set<OperationKind> READERS =
            Set.of(OperationKind.THAW, OperationKind.SWITCH, OperationKind.VERIFY, OperationKind.TRANSFER);

    /** Tells whether an operation of one of these kinds is queued or running for the snapshot. */
    @FunctionalInterface
    public interface Active {
        boolean any(SnapshotId snapshot, Set<OperationKind> kinds);
    }

    private final Active active;

    public CopyGuard(Active active) {
        this.active = active;
    }

    /**
     * @param state of the snapshot
     * @param all its copies
     * @throws ApiException CONFLICT when the copy is on its way, is of use only where it is, or when no other good one can be read: not even
     *     a corrupt one goes then, for most of it may be all that is left; IN_USE while an operation reads the snapshot
     */
    public void requireRemovable(SnapshotState state, Engine engine, Location location, List<Location> all) {
        if (location.state() != LocationState.PRESENT && location.state() != LocationState.CORRUPT) {
            throw new ApiException(ErrorCode.CONFLICT, "The copy is " + location.state() + " already.");
        }
        if (engine == Engine.SUSPEND) {
            throw new ApiException(ErrorCode.CONFLICT, "A suspend snapshot is of use only where its process is.");
        }
        SnapshotId snapshot = location.snapshotId();
        if (location.kind() != Inventory.TierKind.MEMORY && state == SnapshotState.READY) {
            requireAnother(location, all);
        }
        if (active.any(snapshot, READERS)) {
            throw new ApiException(ErrorCode.IN_USE, "An operation reads snapshot " + snapshot + ".");
        }
    }

    /** One that nobody can read, or in a store that does not answer, may be gone for good by the time that it is needed. */
    private static void requireAnother(Location location, List<Location> all) {
        if (others(location, all, Location::durable) > 0) {
            return;
        }
        long silent = others(location, all, one -> one.good() && one.silentSince() != null);
        long unreadable = others(location, all, Location::good) - silent;
        List<String> but = new ArrayList<>();
        if (silent > 0) {
            but.add(silent + " in stores that do not answer");
        }
        if (unreadable > 0) {
            but.add(unreadable + " that nobody can read");
        }
        throw new ApiException(
                ErrorCode.CONFLICT,
                (location.good()
                                ? "It is the last good copy of snapshot " + location.snapshotId()
                                : "It is corrupt, and there is no good copy of snapshot " + location.snapshotId()
                                        + " to make it anew from")
                        + (but.isEmpty() ? "." : " but for " + String.join(" and ", but) + "."));
    }

    private static long others(Location location, List<Location> all, Predicate<Location> which) {
        return all.stream().filter(which).count() - (which.test(location) ? 1 : 0);
    }
}
