package io.gpusnap.node.store;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.HostLeaves;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Digests of 4 KiB leaves of host memory, and which of them hold only zeros. One object a thread. */
@FunctionalInterface
interface LeafHasher {

    int LEAF_BYTES = HostLeaves.LEAF_BYTES;

    /**
     * @param data 1 byte or more; the last leaf may be short
     * @param digests takes {@link ChunkDigest#BYTES} for each leaf
     * @param zeros takes 1 for a leaf of zeros only, and 0 for another
     */
    void hash(MemorySegment data, byte[] digests, byte[] zeros);

    /** The fastest that this machine has: by its SHA instructions directly, or else Java's. */
    static LeafHasher create() {
        return Fastest.HASHERS.get();
    }

    /** Looked for once a process. */
    final class Fastest {

        private static final Logger LOG = LoggerFactory.getLogger(LeafHasher.class);
        private static final Supplier<LeafHasher> HASHERS = find();

        private Fastest() {}

        private static Supplier<LeafHasher> find() {
            try {
                HostLeaves leaves = HostLeaves.load();
                return () -> leaves::digest;
            } catch (GpuException e) {
                LOG.info("digests of host memory are Java's, about half as fast: {}", e.getMessage());
                return JavaLeafHasher::new;
            }
        }
    }
}
