package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.DeviceDigest;
import io.gpusnap.gpu.FileItem;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.Crew;
import io.gpusnap.node.transfer.Transfer;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads chunks straight from their files into device memory. That what arrived is what was saved, the GPU's digests behind
 * each batch say. It never fails: whatever does not work, or is not right, is left to the ordinary way, which judges.
 */
final class DirectFill {

    private static final Logger LOG = LoggerFactory.getLogger(DirectFill.class);

    /** Chunks a call at most: a thread reads nothing while it waits for their digests, for a millisecond or two. */
    private static final int BATCH = 16;

    private final GpuPort gpu;
    private final NvmeTier nvme;
    private final CallTime calls;
    private final Queue<FillPlan.Cold> left = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean broken = new AtomicBoolean();

    DirectFill(GpuPort gpu, NvmeTier nvme, CallTime calls) {
        this.gpu = gpu;
        this.nvme = nvme;
        this.calls = calls;
    }

    /** Answers with what has to come the ordinary way. */
    List<FillPlan.Cold> fill(List<FillPlan.Cold> cold, Transfer transfer) throws InterruptedException {
        int batch = Math.clamp(cold.size() / transfer.threads(), 1, BATCH);
        List<List<FillPlan.Cold>> batches =
                Batches.byTurns(cold, one -> one.piece().gpuOrdinal(), batch);
        Crew.each("fill-direct", transfer.threads(), RuntimeException.class, batches, () -> some -> {
            transfer.safePoint().run();
            if (broken.get()) {
                left.addAll(some);
            } else {
                read(some, transfer);
            }
        });
        return List.copyOf(left);
    }

    private void read(List<FillPlan.Cold> batch, Transfer transfer) {
        List<FillPlan.Cold> there = new ArrayList<>();
        List<FileItem> items = new ArrayList<>();
        for (FillPlan.Cold one : batch) {
            try {
                ChunkDigest digest = new ChunkDigest(one.chunk().digest());
                items.add(new FileItem(
                        nvme.file(digest, one.chunk().sizeBytes()),
                        0,
                        one.piece().address(),
                        one.chunk().sizeBytes()));
                there.add(one);
            } catch (TierException e) {
                left.add(one);
            }
        }
        if (there.isEmpty()) {
            return;
        }
        try {
            int gpuOrdinal = there.getFirst().piece().gpuOrdinal();
            List<DeviceDigest> digests = calls.of(() -> gpu.readAndDigest(gpuOrdinal, items));
            for (int i = 0; i < there.size(); i++) {
                FillPlan.Cold one = there.get(i);
                if (one.chunk()
                        .equals(DeviceDrain.ref(digests.get(i), one.piece().sizeBytes()))) {
                    transfer.progress().accept(one.piece().sizeBytes());
                } else {
                    left.add(one);
                }
            }
        } catch (GpuException e) {
            left.addAll(there);
            if (!broken.getAndSet(true)) {
                LOG.warn("chunks are not read straight into device memory any more, for this time: {}", e.getMessage());
            }
        }
    }
}
