package io.gpusnap.service.operation;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.platform.id.SnapshotId;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What exactly is to be done; fixed when the operation is made, kept with it, handed to the daemon as it is. */
public sealed interface OperationSpec
        permits OperationSpec.Save,
                OperationSpec.Thaw,
                OperationSpec.Switch,
                OperationSpec.Verify,
                OperationSpec.Delete,
                TierSpec {

    OperationKind kind();

    /** Null for what is about a store and not about one snapshot. */
    default @Nullable SnapshotId snapshotId() {
        return null;
    }

    /**
     * Freeze a process into a snapshot.
     *
     * @param facts what the model version says of the image, to be kept in the manifest
     * @param suspendDepth of engine suspend; absent is CONTEXT_RELEASED
     * @param quiesceTimeoutSeconds so long the application's callbacks may take, and its device to become idle; absent: as the
     *     daemon does by itself, 30. Daemons that do not know it do that always
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "SaveTask")
    record Save(
            SnapshotId snapshotId,
            Engine engine,
            ProcessRef workload,
            AfterSave afterSave,
            Map<String, String> facts,
            @Nullable SuspendDepth suspendDepth,
            @Nullable Integer quiesceTimeoutSeconds)
            implements OperationSpec {
        @Override
        public OperationKind kind() {
            return OperationKind.SAVE;
        }
    }

    /**
     * Bring a process back.
     *
     * @param manifestDigest SHA-256 of the manifest's exact bytes, lower-case hex; another manifest is refused
     * @param gpuRemap ordinal in the snapshot to UUID of the GPU to use; empty for the same GPUs
     * @param probe what the process has to answer before the thaw has succeeded; daemons that do not know it ask nothing
     * @param sources tiers of the node that have it whole, as far as the service knows, the fastest first; absent or empty:
     *     the node's own store
     * @param container that a workload of a container goes into; absent for one that was saved outside of any
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "ThawTask")
    record Thaw(
            SnapshotId snapshotId,
            Engine engine,
            String manifestDigest,
            Map<String, String> gpuRemap,
            @Nullable AnswerProbe probe,
            @Nullable List<TierSpec.TierRef> sources,
            @Nullable ContainerTarget container)
            implements OperationSpec {
        @Override
        public OperationKind kind() {
            return OperationKind.THAW;
        }
    }

    /**
     * A container whose first process is a gpusnap-placeholder that waits. The daemon finds it by these names alone; a thaw
     * that fails makes it start its own command.
     *
     * @param podUid of the pod, not its name: one that was made anew is another one
     * @param containerId as the runtime has it, without the scheme that a pod's status puts before it
     */
    @Schema(name = "ContainerTarget")
    record ContainerTarget(String podUid, String containerId) {}

    /**
     * A recorded prompt. Another answer than the expected one fails the thaw with ANSWER_WRONG, and the process is ended
     * or suspended again.
     *
     * @param port absent is the first one that the process listens on
     * @param path with query
     * @param body sent by POST; absent asks by GET
     * @param expectedTokens that the answer's body has in it, in this order
     * @param timeoutSeconds until there is an answer
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "AnswerProbe")
    record AnswerProbe(
            @Nullable Integer port,
            String path,
            @Nullable String body,
            @Nullable String contentType,
            int expectedStatus,
            List<String> expectedTokens,
            int timeoutSeconds) {}

    /**
     * Resume a suspended process, and suspend others to make room for it.
     *
     * @param manifestDigest absent while the snapshot is still being made
     * @param gpuUuid the GPU that the process is on
     * @param candidates who may have to make room, the first first; the daemon passes over those that wait already
     * @param preempt thaws that run on the node end for it
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "SwitchTask")
    record Switch(
            SnapshotId snapshotId,
            @Nullable String manifestDigest,
            String gpuUuid,
            SwitchPolicy policy,
            List<SwitchCandidate> candidates,
            boolean preempt)
            implements OperationSpec {
        @Override
        public OperationKind kind() {
            return OperationKind.SWITCH;
        }
    }

    /**
     * A process that may have to make room.
     *
     * @param snapshotId what it is then frozen as
     * @param facts what its model version says of the image
     */
    @Schema(name = "SwitchCandidate")
    record SwitchCandidate(SnapshotId snapshotId, ProcessRef workload, Map<String, String> facts) {}

    /** Read every chunk of a snapshot and compare digests. */
    @Schema(name = "VerifyTask")
    record Verify(SnapshotId snapshotId, @Nullable String manifestDigest) implements OperationSpec {
        @Override
        public OperationKind kind() {
            return OperationKind.VERIFY;
        }
    }

    /** Remove a snapshot's manifest, and the chunks that no other manifest names. Absent already is success. */
    @Schema(name = "DeleteTask")
    record Delete(SnapshotId snapshotId) implements OperationSpec {
        @Override
        public OperationKind kind() {
            return OperationKind.DELETE;
        }
    }

    /** The process to freeze; the daemon refuses when the start time is another one (the PID was reused). */
    @Schema(name = "ProcessRef")
    record ProcessRef(int pid, long startTimeTicks, String name) {}
}
