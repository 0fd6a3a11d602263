package io.gpusnap.node.engine;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.node.engine.check.Compatibility;
import io.gpusnap.node.engine.device.Ahead;
import io.gpusnap.node.engine.device.Arrival;
import io.gpusnap.node.engine.device.DeviceContent;
import io.gpusnap.node.engine.device.DeviceFill;
import io.gpusnap.node.engine.device.FillOutcome;
import io.gpusnap.node.engine.device.GpuPort;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.Joining;
import io.gpusnap.node.transfer.Transfer;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Device memory that is made and filled while the process that it is for is made again, with each chunk soon after it was read. Where
 * it cannot be made, the process makes it, and it is filled after that; what cannot be filled fails the thaw, as it does there.
 */
final class ThawAhead implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ThawAhead.class);

    /**
     * Left free on a GPU beside all that the snapshot needs. The digests of a fill take up to 4 MiB a copy call, here while the driver
     * makes contexts: with too little for that it strands the process.
     */
    static final long SPARE_BYTES = 64L << 20;

    private final ThawSession session;
    private final ThawLoad load;
    private final GpuPort gpu;
    private final DeviceContent content;
    private final List<Allocation> wanted;
    private final int processes;
    private final Transfer transfer;
    private final FutureTask<List<Allocation>> made;
    private final FutureTask<FillOutcome> filled;
    private final CountDownLatch hostFilled = new CountDownLatch(1);
    private final Thread thread;
    private @Nullable Ahead memory;
    private final BesideStages beside = new BesideStages();

    private ThawAhead(
            ThawSession session, ThawLoad load, GpuPort gpu, Manifest manifest, Map<Integer, GpuInfo> devices) {
        this.session = session;
        this.load = load;
        this.gpu = gpu;
        this.content = DeviceContent.of(manifest.device());
        this.wanted = content.allocations().stream()
                .map(one -> new Allocation(
                        one.id(),
                        one.address(),
                        one.sizeBytes(),
                        0,
                        Objects.requireNonNull(devices.get(one.gpuOrdinal())).ordinal(),
                        false))
                .toList();
        this.processes = ThawSession.cudaTaskIds(manifest).size();
        this.transfer = new Transfer(session.runtime().settings().threads(), beside::done, beside::safePoint);
        this.made = new FutureTask<>(this::make);
        this.filled = new FutureTask<>(this::fill);
        this.thread = Thread.ofPlatform().daemon().name("thaw-ahead").unstarted(this::run);
    }

    /**
     * Begins at once, if there is room to do it beside the driver's work.
     *
     * @param load of the same thaw: closed after this
     * @param devices where the memory will be, by ordinal of the manifest
     */
    static Optional<ThawAhead> begin(ThawSession session, ThawLoad load, Map<Integer, GpuInfo> devices)
            throws StageException, TierException, ManifestException {
        for (Map.Entry<Integer, GpuInfo> device : devices.entrySet()) {
            long needed = Compatibility.vramBytes(session.manifest(), device.getKey()) + SPARE_BYTES;
            if (device.getValue().freeBytes() < needed) {
                LOG.info(
                        "GPU {} has {} bytes free, and making memory ahead takes {}: it is filled afterwards",
                        device.getValue().ordinal(),
                        device.getValue().freeBytes(),
                        needed);
                return Optional.empty();
            }
        }
        ThawAhead ahead = new ThawAhead(session, load, session.runtime().requireGpu(), session.manifest(), devices);
        ahead.thread.start();
        return Optional.of(ahead);
    }

    private void run() {
        made.run();
        filled.run();
    }

    /** Answers with what there is; nothing when it could not be made. */
    private List<Allocation> make() throws InterruptedException {
        try {
            Ahead opened = Ahead.open(gpu, wanted, processes);
            memory = opened;
            try (Arrival arrival = Arrival.prepare(opened)) {
                arrival.start().await();
            }
            return opened.allocations();
        } catch (GpuException e) {
            // Whatever it is: if it lasts, the process meets it as well.
            LOG.warn("device memory could not be made ahead, the process makes it itself: {}", e.getMessage());
            letGo();
            return List.of();
        }
    }

    private FillOutcome fill() throws GpuException, TierException, InterruptedException {
        List<Allocation> there = made.state() == FutureTask.State.SUCCESS ? made.resultNow() : List.of();
        if (there.isEmpty()) {
            return FillOutcome.NOTHING;
        }
        NodeRuntime runtime = session.runtime();
        DeviceFill fill =
                new DeviceFill(gpu, runtime.store().memory(), session.sources(), session.owner(), load.coming(), false);
        try (Arrival arrival = Arrival.prepare(Objects.requireNonNull(memory));
                DeviceFill.Running running = fill.begin(content.of(there), arrival, transfer)) {
            load.device();
            hostFilled.await(); // the slots that are left until then are the host areas'
            return running.finish();
        }
    }

    /** Chunks that are in no slot of the pool may take the host areas' now. */
    void hostFilled() {
        hostFilled.countDown();
    }

    /** Waits until there is as much as there will be. */
    List<Allocation> made() throws InterruptedException {
        try {
            return made.get();
        } catch (ExecutionException e) {
            throw broken(e);
        }
    }

    /** As {@link #made}: bytes by GPU, as this process numbers them. */
    Map<Integer, Long> madeBytes() throws InterruptedException {
        return made().stream()
                .collect(Collectors.groupingBy(Allocation::gpuOrdinal, Collectors.summingLong(Allocation::sizeBytes)));
    }

    /** RELEASED: what is made is mapped by the next remap. */
    void give(TargetPort target) throws GpuException, InterruptedException {
        if (!made().isEmpty()) {
            target.giveAhead(Objects.requireNonNull(memory).members());
        }
    }

    /**
     * Which allocations of a workload are those that were made ahead: the others are still to be filled.
     *
     * @throws GpuException PROTOCOL when one is on another GPU than it was made on
     */
    Set<Long> taken(List<Allocation> allocations) throws GpuException, InterruptedException {
        Map<Long, Allocation> ours = made().stream().collect(Collectors.toMap(Allocation::id, one -> one));
        Set<Long> taken = new HashSet<>();
        for (Allocation there : allocations) {
            Allocation one = ours.get(there.id());
            if (one == null || !there.held()) {
                continue;
            }
            if (one.gpuOrdinal() != there.gpuOrdinal()) {
                throw new GpuException(
                        GpuStatus.PROTOCOL,
                        "allocation %d was made on GPU %d, the process has it on GPU %d"
                                .formatted(one.id(), one.gpuOrdinal(), there.gpuOrdinal()));
            }
            taken.add(one.id());
        }
        return taken;
    }

    /**
     * Waits until all that was made is filled.
     *
     * @param context of the stage that waits: its progress hears of what is done of it
     */
    FillOutcome filled(StageContext context) throws GpuException, TierException, InterruptedException {
        beside.begin(context, context.progress()::addBytes);
        try {
            return filled.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case GpuException cause -> throw cause;
                case TierException cause -> throw cause;
                case null, default -> throw broken(e);
            }
        } finally {
            beside.end();
        }
    }

    private static RuntimeException broken(ExecutionException e) {
        return switch (e.getCause()) {
            case RuntimeException cause -> cause;
            case Error cause -> throw cause;
            case null, default -> new IllegalStateException("making memory ahead broke", e);
        };
    }

    /** Returns when nothing of it runs any more; what no process has mapped is free then. */
    @Override
    public void close() {
        beside.close();
        thread.interrupt();
        Joining.all(List.of(thread));
        letGo();
    }

    private void letGo() {
        Ahead open = memory;
        memory = null;
        if (open == null) {
            return;
        }
        try {
            open.close();
        } catch (GpuException e) {
            LOG.warn("the driver keeps memory that was made ahead until the daemon ends: {}", e.getMessage());
        }
    }
}
