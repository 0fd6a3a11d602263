package io.gpusnap.node.tier.pack;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads runs of chunks with one request each, and believes none of them before its digest is right. One object a thread. */
public final class RunReader {

    /** Takes a verified chunk; its content is valid until the call returns. */
    @FunctionalInterface
    public interface Sink {
        void accept(ChunkRef chunk, MemorySegment content) throws TierException, InterruptedException;
    }

    private final PackReader reader;
    private final TreeDigester digester = new TreeDigester();
    private final Buffers buffers;
    private final MemorySegment buffer;
    /** Where frames are not the chunks themselves. */
    private @Nullable MemorySegment chunkBuffer;

    RunReader(PackReader reader, Buffers buffers) {
        this.reader = reader;
        this.buffers = buffers;
        this.buffer = buffers.take(PackRun.MOST_BYTES);
    }

    /**
     * @return chunks of the run that were not what they should be, and did not go to the sink
     * @throws TierException when nothing of the run could be read, or of the sink
     */
    public List<ChunkRef> read(PackRun run, Sink sink) throws TierException, InterruptedException {
        reader.read(run, buffer);
        List<ChunkRef> wrong = new ArrayList<>();
        for (PackEntry entry : run.entries()) {
            ChunkRef chunk = ChunkRef.of(entry.digest(), entry.sizeBytes());
            MemorySegment frame = buffer.asSlice(entry.offset() - run.offset(), entry.frameBytes());
            MemorySegment content = frame;
            if (entry.codec() != Frames.PLAIN || entry.frameBytes() != entry.sizeBytes()) {
                content = chunkBuffer().asSlice(0, entry.sizeBytes());
                if (!open(run, entry, frame, content)) {
                    wrong.add(chunk);
                    continue;
                }
            }
            if (digester.digest(content).equals(chunk)) {
                sink.accept(chunk, content);
            } else {
                wrong.add(chunk);
            }
        }
        return wrong;
    }

    private MemorySegment chunkBuffer() {
        MemorySegment own = chunkBuffer;
        if (own == null) {
            own = buffers.take(TreeDigester.MAX_CHUNK_BYTES);
            chunkBuffer = own;
        }
        return own;
    }

    private boolean open(PackRun run, PackEntry entry, MemorySegment frame, MemorySegment content)
            throws TierException {
        try {
            reader.open(run.pack(), entry, frame, content);
            return true;
        } catch (TierException e) {
            if (e.reason() == Reason.CORRUPT) {
                return false;
            }
            throw e;
        }
    }
}
