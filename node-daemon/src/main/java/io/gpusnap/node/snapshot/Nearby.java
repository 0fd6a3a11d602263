package io.gpusnap.node.snapshot;

import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Who may have chunks, or may be reading them right now, before a store is asked that nodes share: other operations of this node,
 * other nodes. It only ever helps: what it cannot bring the caller reads itself. Thread-safe.
 */
public interface Nearby {

    /** Where verified chunks go. */
    interface Target {

        /** Where a chunk is to be read to: of a whole chunk's size, page-aligned. */
        MemorySegment memory(ChunkRef chunk);

        /** It is there, and verified. */
        void arrived(ChunkRef chunk, MemorySegment content) throws TierException, InterruptedException;

        /** For one thread: one chunk after the other to the same place, from where each goes on. */
        static Target at(MemorySegment buffer, Arrival arrival) {
            return new Target() {
                @Override
                public MemorySegment memory(ChunkRef chunk) {
                    return buffer;
                }

                @Override
                public void arrived(ChunkRef chunk, MemorySegment content) throws TierException, InterruptedException {
                    arrival.of(chunk, content);
                }
            };
        }
    }

    /** What becomes of a chunk that is there, and verified. */
    @FunctionalInterface
    interface Arrival {
        void of(ChunkRef chunk, MemorySegment content) throws TierException, InterruptedException;
    }

    /** The caller's turn to read some chunks from the shared store, while others wait for them. For one thread. */
    interface Turn extends AutoCloseable {

        /** What the caller is to read. */
        List<ChunkRef> left();

        /** The caller has read one of those, and verified it. */
        void read(ChunkRef chunk, MemorySegment content);

        /**
         * Once all that was left is read, or given up: waits for what others were reading meanwhile.
         *
         * @return what they did not bring
         */
        List<ChunkRef> late() throws TierException, InterruptedException;

        /** Nobody waits for this caller any more. */
        @Override
        void close();
    }

    /**
     * When a window is best read: the smallest first. Nodes that read the same snapshot at the same time each have an order of
     * their own.
     *
     * @param window a stretch of a shared store, the same on every node
     */
    int order(String window);

    /**
     * Brings what others have.
     *
     * @param chunks of one window, each once, not zero
     * @throws TierException of the target only
     */
    Turn turn(List<ChunkRef> chunks, String window, Target target) throws TierException, InterruptedException;

    /** Nobody. */
    static Nearby nobody() {
        return Nobody.INSTANCE;
    }
}
