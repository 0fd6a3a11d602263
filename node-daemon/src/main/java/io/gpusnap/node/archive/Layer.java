package io.gpusnap.node.archive;

import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.util.List;

/** Chunks of an archive that lie in one blob. */
public final class Layer {

    private static final int PAGE_BYTES = 4096;

    /** Takes a chunk that was verified; its content is valid until the call returns. */
    @FunctionalInterface
    public interface Sink {
        void accept(ChunkRef chunk, MemorySegment content) throws TierException, InterruptedException;
    }

    private final ArchiveFiles files;
    private final Descriptor blob;
    private final String name;
    private final Frame frame;
    private final List<ChunkRef> chunks;

    Layer(ArchiveFiles files, Descriptor blob, Frame frame, List<ChunkRef> chunks) throws ManifestException {
        this.files = files;
        this.blob = blob;
        this.name = blob.name();
        this.frame = frame;
        this.chunks = List.copyOf(chunks);
    }

    public List<ChunkRef> chunks() {
        return chunks;
    }

    /**
     * Reads all of it, chunk by chunk: each is believed when its digest is right, and the blob as a whole at the end.
     *
     * @throws TierException CORRUPT; MISSING when the archive ends too early; IO; what the sink throws
     */
    public void read(Sink sink) throws TierException, InterruptedException {
        MessageDigest sha = Descriptor.sha256();
        TreeDigester digester = new TreeDigester();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment frames = arena.allocate(Frame.MOST_BYTES, PAGE_BYTES);
            MemorySegment contents = arena.allocate(TreeDigester.MAX_CHUNK_BYTES, PAGE_BYTES);
            long offset = 0;
            for (ChunkRef chunk : chunks) {
                MemorySegment bytes = frames.asSlice(0, frame.sizeBytes(chunk));
                readFile(offset, bytes);
                sha.update(bytes.asByteBuffer());
                offset += bytes.byteSize();
                MemorySegment content = contents.asSlice(0, chunk.sizeBytes());
                frame.read(chunk, bytes, content);
                if (!digester.digest(content).equals(chunk)) {
                    throw new TierException(
                            Reason.CORRUPT,
                            "chunk %s in the archive is not what its name says".formatted(chunk.digest()));
                }
                sink.accept(chunk, content);
            }
        }
        if (!Descriptor.digest(sha).equals(blob.digest())) {
            throw new TierException(Reason.CORRUPT, name + " of the archive is not what its name says");
        }
    }

    private void readFile(long offset, MemorySegment target) throws TierException {
        try {
            files.read(name, offset, target.asByteBuffer());
        } catch (IOException e) {
            throw new TierException(Reason.IO, "%s of the archive cannot be read: %s".formatted(name, e), e);
        }
    }
}
