package io.gpusnap.node.snapshot;

import io.gpusnap.node.store.ChunkRef;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The caller reads everything itself. */
final class Nobody implements Nearby {

    static final Nobody INSTANCE = new Nobody();

    private Nobody() {}

    private record Alone(List<ChunkRef> left) implements Turn {

        @Override
        public void read(ChunkRef chunk, MemorySegment content) {
            // nobody wants to know
        }

        @Override
        public List<ChunkRef> late() {
            return List.of();
        }

        @Override
        public void close() {
            // nobody waits
        }
    }

    @Override
    public int order(String window) {
        return 0;
    }

    @Override
    public Turn turn(List<ChunkRef> chunks, String window, Target target) {
        return new Alone(List.copyOf(chunks));
    }
}
