package io.gpusnap.service.snapshot;

import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.List;
import java.util.Set;

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
     * @throws ApiException CONFLICT when the copy is on its way, is the last good one that answers, or is of use only where it is; IN_USE while an
     *     operation reads the snapshot
     */
    public void requireRemovable(SnapshotState state, Engine engine, Location location, List<Location> all) {
        if (location.state() != LocationState.PRESENT && location.state() != LocationState.CORRUPT) {
            throw new ApiException(ErrorCode.CONFLICT, "The copy is " + location.state() + " already.");
        }
        if (engine == Engine.SUSPEND) {
            throw new ApiException(ErrorCode.CONFLICT, "A suspend snapshot is of use only where its process is.");
        }
        SnapshotId snapshot = location.snapshotId();
        if (location.good() && state == SnapshotState.READY) {
            requireAnother(location, all);
        }
        if (active.any(snapshot, READERS)) {
            throw new ApiException(ErrorCode.IN_USE, "An operation reads snapshot " + snapshot + ".");
        }
    }

    /** One in a store that does not answer may be gone by the time that it is needed. */
    private static void requireAnother(Location location, List<Location> all) {
        long durable = all.stream().filter(Location::durable).count();
        if (durable - (location.durable() ? 1 : 0) > 0) {
            return;
        }
        long silent = all.stream().filter(one -> one.good() && !one.durable()).count() - (location.durable() ? 0 : 1);
        throw new ApiException(
                ErrorCode.CONFLICT,
                "It is the last good copy of snapshot " + location.snapshotId()
                        + (silent > 0 ? " but for " + silent + " in stores that do not answer." : "."));
    }
}
