package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StagePlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

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
        List<Stage> stages = new ArrayList<>();
        stages.add(new SavePreflight(session, id()));
        stages.addAll(freezing(session));
        switch (request.depth()) {
            case CONTEXT_RELEASED -> stages.add(new SaveCheckpoint(session));
            case CONTEXT_KEPT -> {
                // What is left on the device is the driver's, and small.
            }
        }
        stages.addAll(keeping(session));
        return new StagePlan(OperationKind.SAVE, stages, session::release);
    }

    /** From a workload that runs to one that waits without its managed memory. */
    static List<Stage> freezing(SaveSession session) {
        return List.of(
                new SaveQuiesce(session, EngineId.SUSPEND), new SaveDrain(session, false), new SaveRelease(session));
    }

    /** From memory in the pool to a snapshot. */
    static List<Stage> keeping(SaveSession session) {
        return List.of(
                new SaveStore(session, EngineId.SUSPEND),
                new SaveVerify(session, EngineId.SUSPEND),
                new SaveCommit(session, SaveCommit.Ending.STAY_FROZEN));
    }

    @Override
    public StagePlan thaw(ThawRequest request) {
        ThawSession session = new ThawSession(runtime, request, true);
        return new StagePlan(
                OperationKind.THAW,
                Stream.concat(
                                Stream.of(new SuspendedPreflight(session), new SuspendedVerify(session, false)),
                                waking(session).stream())
                        .toList(),
                session::release);
    }

    /** From a frozen process whose content is verified to one that serves. A context that was kept needs nothing of the driver. */
    static List<Stage> waking(ThawSession session) {
        return List.of(
                new ThawDriverRestore(session),
                new ThawRemap(session),
                new ThawFill(session),
                new ThawResume(session),
                new ThawHealth(session));
    }

    /** Resumes one process and suspends others for it, with their contexts kept. */
    StagePlan switchTo(SwitchRequest request) {
        ThawSession session = new ThawSession(
                runtime,
                new ThawRequest(
                        request.operation(), request.snapshot(), request.manifestDigest(), Map.of(), Optional.empty()),
                true);
        List<SaveSession> leaving = request.candidates().stream()
                .map(candidate -> new SaveSession(
                        runtime,
                        new SaveRequest(
                                request.operation(),
                                candidate.snapshot(),
                                candidate.workload(),
                                AfterSave.KEEP_RUNNING,
                                SuspendDepth.CONTEXT_KEPT,
                                SaveRequest.QUIESCE_LIMIT,
                                candidate.facts())))
                .toList();
        Evictees evictees = new Evictees(leaving.stream().map(Evictee::new).toList());
        List<Stage> stages = new ArrayList<>();
        stages.add(new SwitchPreflight(session, request, evictees));
        stages.add(new SuspendedVerify(session, !leaving.isEmpty()));
        stages.add(new SwitchSuspend(session, evictees));
        stages.addAll(waking(session));
        stages.add(new SwitchStore(session, evictees, SwitchStore.patience()));
        return new StagePlan(OperationKind.SWITCH, stages, () -> {
            session.release();
            leaving.forEach(SaveSession::release);
        });
    }
}
