package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.engine.check.Compatibility;
import io.gpusnap.node.engine.check.Place;
import io.gpusnap.node.engine.check.Refusal;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Whether the snapshot is what the caller means, fits this node, and finds its place free. Touches nothing. */
final class ThawPreflight extends EngineStage {

    /** How long an ended process may take to be reaped before its id counts as taken: some inits look every few seconds. */
    private static final Duration REAP_LIMIT = Duration.ofSeconds(10);

    private static final long REAP_POLL_MILLIS = 20;

    private final ThawSession session;

    ThawPreflight(ThawSession session) {
        super("preflight", session.times());
        this.session = session;
    }

    @Override
    void execute(StageContext context)
            throws StageException, GpuException, TierException, ManifestException, IOException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        Manifest manifest = session.manifest();
        if (!manifest.engine().equals(EngineId.CRIU_CUDA.value())) {
            throw new StageException(
                    FailureCode.INCOMPATIBLE,
                    "snapshot %s was made by engine %s".formatted(manifest.snapshotId(), manifest.engine()));
        }
        runtime.requireCriu();
        List<Refusal> refusals = new ArrayList<>(Compatibility.host(manifest.compatibility(), runtime.host()));
        refusals.addAll(Compatibility.driver(
                manifest.compatibility(), runtime.requireGpu().driver()));
        refuse(refusals);
        Compatibility.GpuPlan gpus = session.gpus();
        refuse(runtime.fingerprints().compare(manifest.compatibility().libraries()));
        session.requireVram(gpus);
        Place place = new Place(runtime.proc());
        refuse(taskIds(place, manifest.process()));
        refuse(place.ports(manifest.process()));
        refuse(place.paths(manifest.process()));
        new Space(runtime).requireForThaw(manifest);
    }

    private static List<Refusal> taskIds(Place place, Manifest.ProcessImage process) throws InterruptedException {
        long deadline = System.nanoTime() + REAP_LIMIT.toNanos();
        while (place.waitsForReaping(process) && System.nanoTime() < deadline) {
            Thread.sleep(REAP_POLL_MILLIS);
        }
        return place.taskIds(process);
    }

    private static void refuse(List<Refusal> refusals) throws StageException {
        for (Refusal refusal : refusals) {
            throw refusal.asException();
        }
    }
}
