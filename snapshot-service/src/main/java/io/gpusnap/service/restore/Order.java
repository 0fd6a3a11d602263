package io.gpusnap.service.restore;

import io.gpusnap.service.operation.OperationSpec;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.restore.gate.Constraints;
import org.jspecify.annotations.Nullable;

/**
 * What a caller orders.
 *
 * @param replicaKey the caller's name of the replica that is to come back
 * @param recoveryPriority it is done again elsewhere when its node is lost, greater first; absent is never
 * @param cold whether the caller starts it itself when nothing comes back; else that is an error
 * @param container that it is to come back in
 */
public record Order(
        Wish wish,
        Constraints constraints,
        @Nullable String replicaKey,
        boolean cold,
        @Nullable Integer recoveryPriority,
        OperationSpec.@Nullable ContainerTarget container) {

    /** Of a process that comes back beside its daemon. */
    public Order(
            Wish wish,
            Constraints constraints,
            @Nullable String replicaKey,
            boolean cold,
            @Nullable Integer recoveryPriority) {
        this(wish, constraints, replicaKey, cold, recoveryPriority, null);
    }

    /** What a caller wants back. */
    public sealed interface Wish {}

    /** This very snapshot. */
    public record ThatSnapshot(SnapshotId snapshot) implements Wish {}

    /** A snapshot of this version that can come back. */
    public record VersionOf(String model, String version) implements Wish {}

    /** A snapshot of the version that the alias means for this replica. */
    public record AliasOf(String model, String alias) implements Wish {}
}
