package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.Workload;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether there is room for an operation, as far as that can be known before it starts. */
final class Space {

    static final int LEAST_SLOTS = 4;
    /** What a second snapshot of the same workload is expected to add at most. */
    private static final long REPEATED_SHARE = 10;

    private final NodeRuntime runtime;

    Space(NodeRuntime runtime) {
        this.runtime = runtime;
    }

    /** @return bytes that it may write to the store, for which there is room now */
    long requireForSave(Workload workload, Inspection inspection, EngineId engine)
            throws StageException, TierException, IOException {
        long device = inspection.status().map(status -> status.managedBytes()).orElse(0L);
        long slots = Math.min(LEAST_SLOTS, Math.ceilDiv(device, Slot.BYTES));
        int claimable = runtime.store().memory().claimable();
        if (claimable < slots) {
            throw new StageException(
                    FailureCode.INSUFFICIENT_SPACE,
                    "the pinned pool has %d slots of 4 MiB to give, a save takes %d (memory.poolBytes)"
                            .formatted(claimable, slots));
        }
        long host = engine.equals(EngineId.CRIU_CUDA) ? residentBytes(inspection) : 0;
        requireScratch(host);
        return requireStore(workload, device + host);
    }

    /**
     * Of the pool, what a thaw leaves to others: a save on another GPU must not be refused because all slots are leased. On one GPU
     * they do not run at the same time.
     */
    int sparedByThaw() throws StageException, GpuException {
        return runtime.requireGpu().driver().gpuCount() > 1 ? sparedSlots() : 0;
    }

    /** With which a save gets on, whatever else happens. */
    int sparedSlots() {
        return LEAST_SLOTS + runtime.settings().threads();
    }

    /** Manifests are looked at only where it depends on them: there may be many. */
    private long requireStore(Workload workload, long sizeBytes) throws TierException {
        NvmeTier nvme = runtime.store().nvme();
        try {
            nvme.requireSpace(sizeBytes);
            return sizeBytes;
        } catch (TierException e) {
            if (!Snapshots.anyOf(runtime.store(), workload.name())) {
                throw e;
            }
            nvme.requireSpace(sizeBytes / REPEATED_SHARE);
            return sizeBytes / REPEATED_SHARE;
        }
    }

    void requireForThaw(Manifest manifest) throws StageException, IOException {
        long host = manifest.totals().hostBytes();
        requireScratch(manifest.host().filesBytes());
        long available = availableMemoryBytes();
        if (available < host) {
            throw new StageException(
                    FailureCode.INSUFFICIENT_SPACE,
                    "this node has %d bytes of memory available, the process needs %d".formatted(available, host));
        }
    }

    private void requireScratch(long neededBytes) throws StageException, IOException {
        Path scratch = runtime.settings().scratchDir();
        long usable = Files.getFileStore(scratch).getUsableSpace();
        if (usable < neededBytes) {
            throw new StageException(
                    FailureCode.INSUFFICIENT_SPACE,
                    "%s has %d bytes free, the process image takes up to %d (scratch.dir)"
                            .formatted(scratch, usable, neededBytes));
        }
    }

    private long residentBytes(Inspection inspection) {
        long kib = 0;
        for (ProcessId process : inspection.tree()) {
            kib += kib(process, "VmRSS") + kib(process, "VmSwap");
        }
        return kib << 10;
    }

    private long kib(ProcessId process, String label) {
        return runtime.proc()
                .status(process.pid(), label)
                .map(value -> Long.parseLong(value.split(" ")[0]))
                .orElse(0L);
    }

    private static long availableMemoryBytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/meminfo")).stream()
                .filter(line -> line.startsWith("MemAvailable:"))
                .map(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
                .findFirst()
                .orElse(Long.MAX_VALUE);
    }
}
