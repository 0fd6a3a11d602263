package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.archive.ArchiveWriter;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Copies a snapshot's chunks into an archive, layer by layer; a layer is in memory while it is made. Each chunk is verified as it comes. */
public final class SnapshotExport {

    private final ChunkSources sources;
    private final ArchiveWriter archive;

    public SnapshotExport(ChunkSources sources, ArchiveWriter archive) {
        this.sources = sources;
        this.archive = archive;
    }

    /** @throws TierException of what is read: MISSING, CORRUPT, IO, UNAVAILABLE */
    public void chunks(Collection<ChunkRef> chunks, Transfer transfer, Traffic.Share share)
            throws IOException, TierException, ManifestException, InterruptedException {
        List<List<ChunkRef>> plans = archive.plan(ChunkVerifier.distinct(chunks));
        long most = plans.stream().mapToLong(this::sizeBytes).max().orElse(1);
        try (Buffers buffers = new Buffers()) {
            MemorySegment buffer = buffers.take(most);
            for (List<ChunkRef> plan : plans) {
                MemorySegment layer = buffer.asSlice(0, sizeBytes(plan));
                fill(plan, layer, buffers, transfer, share);
                archive.layer(layer);
            }
        }
    }

    private long sizeBytes(List<ChunkRef> plan) {
        return plan.stream().mapToLong(archive::frameBytes).sum();
    }

    private void fill(List<ChunkRef> plan, MemorySegment layer, Buffers buffers, Transfer transfer, Traffic.Share share)
            throws TierException, InterruptedException {
        Map<ChunkRef, MemorySegment> places = new HashMap<>();
        long offset = 0;
        for (ChunkRef chunk : plan) {
            int frameBytes = archive.frameBytes(chunk);
            places.put(chunk, layer.asSlice(offset, frameBytes));
            offset += frameBytes;
        }
        Batch.each("export", sources, plan, transfer, () -> {
            BatchReader reader = new BatchReader(sources, buffers);
            Nearby.Target target = Nearby.Target.at(Transfer.buffer(buffers), (chunk, content) -> {
                archive.frame(chunk, content, java.util.Objects.requireNonNull(places.get(chunk)));
                transfer.progress().accept(chunk.sizeBytes());
            });
            return batch -> {
                share.take(
                        batch.chunks().stream().mapToLong(ChunkRef::sizeBytes).sum(), transfer.safePoint()::run);
                reader.read(batch, target);
            };
        });
    }
}
