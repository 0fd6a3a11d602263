package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.engine.check.Compatibility;
import io.gpusnap.node.engine.check.ContainerChecks;
import io.gpusnap.node.engine.check.GpuPlan;
import io.gpusnap.node.engine.check.Place;
import io.gpusnap.node.engine.check.Refusal;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ContainerPart;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Whether the snapshot is what the caller means, fits this node, and finds its place free. Touches nothing, but begins to read. */
final class ThawPreflight extends EngineStage {

    /** How long an ended process may take to be reaped before its id counts as taken: some inits look every few seconds. */
    private static final Duration REAP_LIMIT = Duration.ofSeconds(10);

    private static final long REAP_POLL_MILLIS = 20;

    /** How long connections of the former process may hold its ports: Linux keeps the last state of one for 60 s. */
    private static final Duration CLOSING_LIMIT = Duration.ofSeconds(65);

    private static final long CLOSING_POLL_MILLIS = 200;

    private final ThawSession session;

    ThawPreflight(ThawSession session) {
        super("preflight", session.times());
        this.session = session;
    }

    @Override
    public boolean interruptible() {
        return true;
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
        Optional<TargetContainer> container = session.container(context);
        requireKindOfPlace(manifest, container.isPresent());
        List<Refusal> refusals = new ArrayList<>(Compatibility.host(manifest.compatibility(), runtime.host()));
        refusals.addAll(Compatibility.driver(
                manifest.compatibility(), runtime.requireGpu().driver()));
        refuse(refusals);
        GpuPlan gpus = session.gpus(context);
        session.requireVram(gpus, Map.of());
        session.beginLoad(); // what is still to be looked at takes tenths of a second, and may wait for a minute
        String root = container.map(TargetContainer::root).map(Path::toString).orElse("");
        refuse(runtime.fingerprints().compare(manifest.compatibility().libraries(), root));
        if (container.isPresent() && manifest.container().isPresent()) {
            refuse(new ContainerChecks(runtime.proc(), container.get().container())
                    .thaw(manifest.container().get()));
        }
        Place place = place(manifest, container);
        refuse(taskIds(place, manifest.process()));
        refuse(ports(place, manifest.process(), context));
        refuse(place.paths(manifest.process()));
        new Space(runtime).requireForThaw(manifest);
    }

    @Override
    void ended(StageContext context) {
        session.rememberDamage(context);
    }

    /** A plain process has no business in a container, nor one of a container outside: each would meet other files. */
    private static void requireKindOfPlace(Manifest manifest, boolean container) throws StageException {
        if (manifest.container().isPresent() != container) {
            throw new StageException(
                    FailureCode.INCOMPATIBLE,
                    "snapshot %s is of a workload %s a container: name %s to thaw it"
                            .formatted(
                                    manifest.snapshotId(),
                                    container ? "outside of" : "in",
                                    container ? "none" : "one"));
        }
    }

    private Place place(Manifest manifest, Optional<TargetContainer> container) {
        if (container.isEmpty()) {
            return new Place(session.runtime().proc());
        }
        TargetContainer target = container.get();
        Set<String> brought = manifest.container().stream()
                .flatMap(part -> part.files().stream())
                .map(ContainerPart.WrittenFile::path)
                .collect(Collectors.toSet());
        return Place.in(session.runtime().proc(), target.container(), target.ids(), target.root(), brought);
    }

    private static List<Refusal> taskIds(Place place, Manifest.ProcessImage process) throws InterruptedException {
        long deadline = System.nanoTime() + REAP_LIMIT.toNanos();
        while (place.waitsForReaping(process) && System.nanoTime() < deadline) {
            Thread.sleep(REAP_POLL_MILLIS);
        }
        return place.taskIds(process);
    }

    private static List<Refusal> ports(Place place, Manifest.ProcessImage process, StageContext context)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + CLOSING_LIMIT.toNanos();
        while (place.waitsForClosing(process) && System.nanoTime() < deadline) {
            context.checkCancelled();
            Thread.sleep(CLOSING_POLL_MILLIS);
        }
        return place.ports(process);
    }

    private static void refuse(List<Refusal> refusals) throws StageException {
        for (Refusal refusal : refusals) {
            throw refusal.asException();
        }
    }
}
