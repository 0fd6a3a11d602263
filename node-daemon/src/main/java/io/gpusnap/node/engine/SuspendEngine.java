package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.StagePlan;
import java.util.List;

/** The process stays, frozen at its gate; its device memory leaves. Needs no CRIU, and cannot leave the node. */
final class SuspendEngine implements CheckpointEngine {

    private final NodeRuntime runtime;

    SuspendEngine(NodeRuntime runtime) {
        this.runtime = runtime;
    }

    @Override
    public EngineId id() {
        return EngineId.SUSPEND;
    }

    @Override
    public List<Capability> capabilities() {
        return new Capabilities(runtime).suspend();
    }

    @Override
    public StagePlan save(SaveRequest request) {
        SaveSession session = new SaveSession(runtime, request);
        return new StagePlan(
                OperationKind.SAVE,
                List.of(
                        new SavePreflight(session, id()),
                        new SaveQuiesce(session),
                        new SaveDrain(session),
                        new SaveRelease(session),
                        new SaveCheckpoint(session),
                        new SaveStore(session, id()),
                        new SaveVerify(session),
                        new SaveCommit(session, SaveCommit.Ending.STAY_FROZEN)),
                session::release);
    }

    @Override
    public StagePlan thaw(ThawRequest request) {
        ThawSession session = new ThawSession(runtime, request, true);
        return new StagePlan(
                OperationKind.THAW,
                List.of(
                        new SuspendedPreflight(session),
                        new SuspendedVerify(session),
                        new ThawDriverRestore(session),
                        new ThawRemap(session),
                        new ThawFill(session),
                        new ThawResume(session),
                        new ThawHealth(session)),
                session::release);
    }
}
