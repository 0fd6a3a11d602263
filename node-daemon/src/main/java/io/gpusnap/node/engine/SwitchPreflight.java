package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Whether the process can come back, who has to make room for it, and whether they can. Touches nothing. */
final class SwitchPreflight extends EngineStage {

    private final ThawSession session;
    private final SwitchRequest request;
    private final Evictees evictees;

    SwitchPreflight(ThawSession session, SwitchRequest request, Evictees evictees) {
        super("preflight", session.times());
        this.session = session;
        this.request = request;
        this.evictees = evictees;
    }

    @Override
    void execute(StageContext context)
            throws StageException, GpuException, TierException, ManifestException, IOException, InterruptedException {
        AtOnce.run(Stream.concat(
                Stream.of(() -> new SuspendedPreflight(session).typedLook(context)),
                evictees.all().stream().map(one -> one::look)));
        Map<Integer, GpuInfo> gpus = session.gpus(context).devices();
        requireGpu(gpus);
        List<Evictee> chosen = choose(gpus, context);
        context.remember(new SwitchChoice(chosen.stream().map(Evictee::snapshot).toList()));
    }

    private void requireGpu(Map<Integer, GpuInfo> gpus) throws StageException {
        if (request.gpuUuid().isPresent()
                && gpus.values().stream()
                        .noneMatch(gpu -> gpu.uuid().equals(request.gpuUuid().get()))) {
            throw new StageException(
                    FailureCode.GPU_MISMATCH,
                    "snapshot %s is of a process on %s, not on %s"
                            .formatted(
                                    request.snapshot(),
                                    gpus.values().stream().map(GpuInfo::uuid).collect(Collectors.joining(", ")),
                                    request.gpuUuid().get()));
        }
    }

    private List<Evictee> choose(Map<Integer, GpuInfo> gpus, StageContext context)
            throws StageException, TierException, ManifestException, InterruptedException {
        Map<Integer, Long> missing = new HashMap<>();
        for (Map.Entry<Integer, GpuInfo> gpu : gpus.entrySet()) {
            missing.put(
                    gpu.getValue().ordinal(),
                    session.manifest().vramBytes(gpu.getKey())
                            + session.manifest().device().driverBytes()
                            - gpu.getValue().freeBytes());
        }
        List<Evictee> chosen = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        long givenBytes = 0;
        for (Evictee one : evictees.all()) {
            Map<Integer, Long> held = new HashMap<>(one.heldBytes());
            held.keySet().retainAll(missing.keySet());
            boolean wanted = request.policy() == SwitchRequest.Policy.SUSPEND_OTHERS
                    || held.keySet().stream().anyMatch(ordinal -> missing.getOrDefault(ordinal, 0L) > 0);
            if (!held.isEmpty() && wanted && mayBeSaved(one, refused, context)) {
                chosen.add(one);
                held.forEach((ordinal, bytes) -> missing.merge(ordinal, -bytes, Long::sum));
                givenBytes += held.values().stream().mapToLong(Long::longValue).sum();
            }
        }
        for (Map.Entry<Integer, Long> still : missing.entrySet()) {
            if (still.getValue() > 0) {
                throw tooSmall(gpus, still.getKey(), still.getValue(), chosen, givenBytes, refused);
            }
        }
        return chosen;
    }

    /** Where room is all that counts, another can make it; where the others are to be suspended, one that cannot be is in the way. */
    private boolean mayBeSaved(Evictee one, List<String> refused, StageContext context)
            throws StageException, InterruptedException {
        try {
            one.run(one.checking(), context);
            return true;
        } catch (StageException e) {
            if (request.policy() == SwitchRequest.Policy.SUSPEND_OTHERS) {
                throw e;
            }
            one.passedOver();
            refused.add("%s: %s".formatted(one.process(), e.detail()));
            return false;
        }
    }

    private StageException tooSmall(
            Map<Integer, GpuInfo> gpus,
            int ordinal,
            long missingBytes,
            List<Evictee> chosen,
            long givenBytes,
            List<String> refused)
            throws StageException, TierException, ManifestException {
        GpuInfo gpu = gpus.values().stream()
                .filter(device -> device.ordinal() == ordinal)
                .findFirst()
                .orElseThrow();
        return new StageException(
                FailureCode.INSUFFICIENT_VRAM,
                "GPU %d (%s) has %d bytes free, and %d candidates would give %d; the process needs %d: %d are missing%s"
                        .formatted(
                                ordinal,
                                gpu.name(),
                                gpu.freeBytes(),
                                chosen.size(),
                                givenBytes,
                                session.manifest().totals().vramBytes()
                                        + session.manifest().device().driverBytes(),
                                missingBytes,
                                refused.isEmpty() ? "" : "; cannot make room: " + String.join("; ", refused)));
    }

    /** The last to be undone: now nobody's only copy is in the store of these saves. */
    @Override
    void undo(StageContext context) throws StageException {
        evictees.undo(Evictee::checking, context);
    }
}
