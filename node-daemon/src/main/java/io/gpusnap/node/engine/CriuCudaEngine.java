package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StagePlan;
import java.util.ArrayList;
import java.util.List;

/** The whole process leaves and comes back: CRIU for the host side, the driver for the context, our own copies for VRAM. */
final class CriuCudaEngine implements CheckpointEngine {

    private final NodeRuntime runtime;

    CriuCudaEngine(NodeRuntime runtime) {
        this.runtime = runtime;
    }

    @Override
    public EngineId id() {
        return EngineId.CRIU_CUDA;
    }

    @Override
    public List<Capability> capabilities() {
        return new Capabilities(runtime).criuCuda();
    }

    @Override
    public StagePlan save(SaveRequest request) {
        SaveSession session = new SaveSession(runtime, request);
        List<Stage> stages = new ArrayList<>(List.of(
                new SavePreflight(session, id()),
                new SaveQuiesce(session, EngineId.CRIU_CUDA),
                new SaveDrain(session, request.afterSave() == AfterSave.KEEP_RUNNING),
                new SaveRelease(session),
                new SaveCheckpoint(session),
                new SaveDump(session)));
        SaveCommit.Ending ending = switch (request.afterSave()) {
            case KEEP_RUNNING -> {
                stages.add(new SaveRevive(session));
                yield SaveCommit.Ending.KEEP_RUNNING;
            }
            case STOP -> SaveCommit.Ending.STOP;
        };
        stages.add(new SaveStore(session, id()));
        stages.add(new SaveVerify(session, id()));
        stages.add(new SaveCommit(session, ending));
        return new StagePlan(OperationKind.SAVE, stages, session::release);
    }

    @Override
    public StagePlan thaw(ThawRequest request) {
        ThawSession session = new ThawSession(runtime, request, false);
        List<Stage> stages = new ArrayList<>();
        request.container().ifPresent(container -> stages.add(new ThawClaim(session, container)));
        stages.addAll(List.of(
                new ThawPreflight(session),
                new ThawMaterialise(session),
                new ThawCriuRestore(session),
                new ThawFillHost(session),
                new ThawVerify(session),
                new ThawDriverRestore(session),
                new ThawRemap(session),
                new ThawFill(session),
                new ThawResume(session),
                new ThawHealth(session)));
        request.container().ifPresent(container -> stages.add(new ThawHandover(session)));
        return new StagePlan(OperationKind.THAW, stages, session::release);
    }
}
