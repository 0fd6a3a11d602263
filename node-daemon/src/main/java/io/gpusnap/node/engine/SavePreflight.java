package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.engine.check.Refusal;
import io.gpusnap.node.engine.device.DeviceContent;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.Workload;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Every refusal, before anything is touched. */
final class SavePreflight extends EngineStage {

    private final SaveSession session;
    private final EngineId engine;
    private @Nullable Look found;

    SavePreflight(SaveSession session, EngineId engine) {
        super("preflight", session.times());
        this.session = session;
        this.engine = engine;
    }

    /** What was found of the workload; which refusals there are is not judged yet. */
    private record Look(Workload workload, Inspection inspection) {}

    /**
     * Asks the workload, which {@link #execute} then does not do again.
     *
     * @throws StageException CAPABILITY_MISSING, WORKLOAD_NOT_FOUND
     */
    Inspection look() throws StageException {
        NodeRuntime runtime = session.runtime();
        runtime.requireGpu();
        Workload workload = runtime.workloads()
                .read(session.process())
                .orElseThrow(() -> new StageException(
                        FailureCode.WORKLOAD_NOT_FOUND, session.process() + " is gone, or is another process by now"));
        Inspection inspection = new Inspector(runtime).inspect(workload, engine);
        found = new Look(workload, inspection);
        return inspection;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, IOException, GpuException {
        NodeRuntime runtime = session.runtime();
        if (engine.equals(EngineId.CRIU_CUDA)) {
            runtime.requireGpu();
            runtime.requireCriu();
        }
        session.state(WorkloadInfo.State.RUNNING);
        if (found == null) {
            look();
        }
        Look look = Objects.requireNonNull(found);
        for (Refusal refusal : look.inspection().refusals()) {
            throw refusal.asException();
        }
        session.pins().promise(new Space(runtime).requireForSave(look.workload(), look.inspection(), engine));
        runtime.store().nvme().requireKey();
        context.remember(new SaveSubject(
                look.workload().process(),
                look.inspection().cudaPids(),
                look.workload().name(),
                ProcessCapture.isSessionLeader(runtime.proc(), look.workload().process()),
                libraries(look.workload())));
        context.remember(reachable(look.inspection().cudaPids()));
    }

    /**
     * Last of all, when the workload has its memory again: until then chunks of this save may be the only copy of it. What
     * an earlier life of this daemon wrote is known from the remembered content.
     */
    @Override
    void undo(StageContext context) throws TierException, ManifestException {
        SnapshotStore store = session.runtime().store();
        context.recall(DeviceContent.class).ifPresent(content -> session.pins().pin(content.storedDigests()));
        // Only what this very operation was about to commit: a save that never got there owns no snapshot.
        if (context.recall(SaveOutcome.class).isPresent()) {
            store.abandonCommit(session.snapshot(), session.pins());
        } else {
            store.abandon(session.snapshot(), session.pins());
        }
    }

    private ReachableGpus reachable(List<Integer> cudaPids) throws StageException, GpuException {
        NodeRuntime runtime = session.runtime();
        List<GpuInfo> gpus = new DeviceNodes(runtime.proc())
                .ofAny(cudaPids, runtime.requireGpu().devices());
        return new ReachableGpus(gpus.stream().map(GpuInfo::ordinal).toList());
    }

    private List<Manifest.Library> libraries(Workload workload) throws StageException {
        NodeRuntime runtime = session.runtime();
        int pid = workload.process().pid();
        String root = runtime.proc().of(pid) + "/root";
        List<Manifest.Library> libraries = new ArrayList<>();
        libraries.add(fingerprint("executable", root, workload.executable()));
        libraries.add(fingerprint("preload", root, workload.preloadPath()));
        for (String path : runtime.proc().mappedFiles(pid)) {
            if (path.substring(path.lastIndexOf('/') + 1).startsWith("libcuda.so")) {
                libraries.add(fingerprint("libcuda", root, path));
            }
        }
        return libraries;
    }

    private Manifest.Library fingerprint(String role, String root, String path) throws StageException {
        return session.runtime()
                .fingerprints()
                .of(role, root, path)
                .orElseThrow(() -> new StageException(
                        FailureCode.WORKLOAD_UNSUPPORTED,
                        "its %s %s cannot be read: was it replaced since the workload started?".formatted(role, path)));
    }
}
