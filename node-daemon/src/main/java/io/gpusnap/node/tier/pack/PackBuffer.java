package io.gpusnap.node.tier.pack;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A pack that is being made, in memory that goes when it is closed. One thread at a time. */
final class PackBuffer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PackBuffer.class);

    private final Buffers buffers = new Buffers();
    private final MemorySegment memory;
    private final Supplier<Frames> making;
    private Frames frames;
    private final List<PackEntry> entries = new ArrayList<>();
    private long usedBytes;

    /** @param making new ones for each pack: what encrypts now is looked up then */
    PackBuffer(long capacityBytes, Supplier<Frames> making) {
        this.memory = buffers.take(capacityBytes);
        this.making = making;
        this.frames = making.get();
    }

    /** Whose key encrypts what is in it. */
    String scope() {
        return frames.scope();
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    boolean hasRoomFor(long sizeBytes) {
        return usedBytes + sizeBytes + PackEntry.MOST_OVERHEAD_BYTES <= memory.byteSize();
    }

    /** The content was verified by the caller. */
    void add(ChunkDigest digest, MemorySegment content) throws TierException {
        int sizeBytes = (int) content.byteSize();
        MemorySegment target = memory.asSlice(usedBytes, (long) sizeBytes + PackEntry.MOST_OVERHEAD_BYTES);
        Frames.Written written = frames.write(digest, content, target);
        entries.add(new PackEntry(digest, sizeBytes, usedBytes, written.frameBytes(), written.codec()));
        usedBytes += written.frameBytes();
    }

    Optional<PackEntry> find(ChunkDigest digest) {
        return entries.stream().filter(entry -> entry.digest().equals(digest)).findFirst();
    }

    List<PackEntry> entries() {
        return List.copyOf(entries);
    }

    MemorySegment frame(PackEntry entry) {
        return memory.asSlice(entry.offset(), entry.frameBytes());
    }

    MemorySegment content() {
        return memory.asSlice(0, usedBytes);
    }

    long sizeBytes() {
        return usedBytes;
    }

    byte[] index(UUID copy) {
        return new PackTable(copy, List.of(new PackTable.Pack(PackTable.SELF, usedBytes, frames.scope(), entries)))
                .encode();
    }

    void clear() {
        entries.clear();
        usedBytes = 0;
        frames = making.get();
    }

    @Override
    public void close() {
        buffers.close();
        if (buffers.stuckBytes() > 0) {
            // A write that was given up because its medium hangs still has it. How many hang is bounded.
            LOG.atWarn().addKeyValue("bytes", buffers.stuckBytes()).log("memory is kept by a call that hangs");
        }
    }
}
