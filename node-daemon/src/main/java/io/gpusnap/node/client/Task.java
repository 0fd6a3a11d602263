package io.gpusnap.node.client;

import io.gpusnap.node.operation.OperationKind;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A claimed operation. The member named like the kind is present.
 *
 * @param epoch goes with every report on it
 * @param attempt 1 at the first claim
 */
public record Task(
        UUID operationId,
        long epoch,
        int attempt,
        OperationKind kind,
        @Nullable Save save,
        @Nullable Thaw thaw,
        @Nullable Verify verify,
        @Nullable Delete delete) {

    /** @param afterSave KEEP_RUNNING or STOP */
    public record Save(
            UUID snapshotId,
            String engine,
            Process workload,
            String afterSave,
            @Nullable Map<String, String> facts) {}

    public record Process(int pid, long startTimeTicks, String name) {}

    /** @param gpuRemap GPU ordinal in the manifest to GPU UUID here */
    public record Thaw(
            UUID snapshotId,
            String engine,
            @Nullable String manifestDigest,
            @Nullable Map<Integer, String> gpuRemap) {}

    public record Verify(UUID snapshotId, @Nullable String manifestDigest) {}

    public record Delete(UUID snapshotId) {}
}
