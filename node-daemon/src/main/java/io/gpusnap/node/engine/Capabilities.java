package io.gpusnap.node.engine;

import io.gpusnap.gpu.DriverInfo;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.tier.pack.PackTier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** What this node was probed for, each with its reason. */
final class Capabilities {

    private static final String CONTAINER_THAW = "container-thaw";

    private final NodeRuntime runtime;

    Capabilities(NodeRuntime runtime) {
        this.runtime = runtime;
    }

    List<Capability> all() {
        List<Capability> all = new ArrayList<>(criuCuda());
        all.addAll(suspend());
        all.add(pool());
        all.add(runtime.scratchPages());
        all.add(directStorage());
        all.addAll(tiers());
        return List.copyOf(new LinkedHashSet<>(all));
    }

    List<Capability> criuCuda() {
        Capability criu = criu();
        Capability checkpoint = checkpoint();
        return List.of(
                engine(EngineId.CRIU_CUDA, List.of(criu, checkpoint)),
                criu,
                checkpoint,
                remap(),
                containerThaw(List.of(criu, checkpoint)));
    }

    List<Capability> suspend() {
        Capability checkpoint = checkpoint();
        return List.of(engine(EngineId.SUSPEND, List.of(checkpoint)), checkpoint);
    }

    private static Capability engine(EngineId engine, List<Capability> needs) {
        return needs.stream()
                .filter(need -> !need.available())
                .findFirst()
                .map(missing ->
                        new Capability(engine.value(), false, "needs " + missing.name() + ": " + missing.reason()))
                .orElse(new Capability(engine.value(), true, "everything it needs is here"));
    }

    private Capability criu() {
        return new Capability(
                "criu", runtime.criuProbe().available(), runtime.criuProbe().reason());
    }

    private Capability checkpoint() {
        return driver(
                "cuda-checkpoint",
                DriverInfo::hasCheckpoint,
                "driver %s has the checkpoint calls",
                "driver %s has no checkpoint calls: it takes 570 or newer");
    }

    /** A service sends nobody into a container on this node without it. */
    private Capability containerThaw(List<Capability> needs) {
        Capability engine = engine(EngineId.CRIU_CUDA, needs);
        if (!engine.available()) {
            return new Capability(CONTAINER_THAW, false, engine.reason());
        }
        Path enter = runtime.enter();
        return Files.isExecutable(enter)
                ? new Capability(CONTAINER_THAW, true, "by " + enter)
                : new Capability(
                        CONTAINER_THAW,
                        false,
                        enter + " is not there: native.dir must have it beside the libraries of the same release");
    }

    private Capability remap() {
        return driver(
                "gpu-remap",
                DriverInfo::hasGpuRemap,
                "driver %s can restore onto other GPUs of the same model",
                "driver %s can restore only onto the same GPUs");
    }

    private Capability driver(String name, Predicate<DriverInfo> test, String yes, String no) {
        if (runtime.gpu().isEmpty()) {
            return new Capability(name, false, runtime.gpuReason());
        }
        try {
            DriverInfo driver = runtime.gpu().get().driver();
            boolean available = test.test(driver);
            return new Capability(name, available, (available ? yes : no).formatted(driver.build()));
        } catch (GpuException e) {
            return new Capability(name, false, String.valueOf(e.getMessage()));
        }
    }

    private Capability directStorage() {
        return new Capability(
                "direct-storage", runtime.direct().used(), runtime.direct().reason());
    }

    private List<Capability> tiers() {
        String shared =
                runtime.store().sources().shared().stream().map(PackTier::name).collect(Collectors.joining(", "));
        return List.of(
                new Capability("transfer", true, "between memory, nvme" + (shared.isEmpty() ? "" : ", " + shared)),
                new Capability("evict", true, "from memory and nvme"),
                new Capability(
                        "sweep",
                        !shared.isEmpty(),
                        shared.isEmpty() ? "no tier is shared: set nfs.root or s3.bucket" : "of " + shared),
                new Capability("verify", true, "of nvme" + (shared.isEmpty() ? "" : ", " + shared)),
                new Capability("scrub", true, "of nvme" + (shared.isEmpty() ? "" : ", " + shared)));
    }

    private Capability pool() {
        return new Capability("pinned-pool", runtime.poolPinned(), runtime.poolReason());
    }
}
