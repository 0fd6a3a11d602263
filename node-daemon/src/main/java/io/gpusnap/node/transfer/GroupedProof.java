package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.TierException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Proves chunks while others are still being stored. A chunk is read only after a sync that began after it was stored: what is
 * read before, the drive need not have kept. So chunks wait until there is a group of them; then one thread syncs the tier, and
 * others read the group from the medium, while the next group fills.
 *
 * <p>After {@link #finish} every chunk that was stored is durable and proven. Closing it before ends its threads.
 */
final class GroupedProof implements AutoCloseable {

    /** A sync costs a commit of the journal, whatever it syncs; and what is proven after the last chunk has come is one group. */
    static final long GROUP_BYTES = 256L << 20;

    /** Makes durable what was stored before the call. */
    @FunctionalInterface
    interface Syncing {
        void sync() throws TierException;
    }

    private final long groupBytes;
    private final Buffers buffers = new Buffers();
    private final Crew<List<ChunkRef>, TierException> syncer;
    private final Crew<ChunkRef, TierException> readers;
    private final List<ChunkRef> waiting = new ArrayList<>();
    private long waitingBytes;

    /** @param reading reads a chunk from the medium and compares its digest */
    GroupedProof(
            long groupBytes,
            Syncing syncing,
            int threads,
            Function<Buffers, Crew.Task<ChunkRef, TierException>> reading) {
        this.groupBytes = groupBytes;
        this.readers = new Crew<>("prove", threads, TierException.class, () -> reading.apply(buffers));
        this.syncer = new Crew<>("sync", 1, TierException.class, () -> group -> {
            syncing.sync();
            group.forEach(readers::submit);
        });
    }

    /** Of chunks in the node's own store. */
    static GroupedProof of(NvmeTier nvme, long groupBytes, Transfer transfer) {
        return new GroupedProof(
                groupBytes, nvme::sync, transfer.threads(), buffers -> ChunkVerifier.one(nvme, transfer, buffers));
    }

    /**
     * The chunk has been stored. Each once; from any thread.
     *
     * @throws TierException IO of a sync; MISSING, CORRUPT, IO: of a chunk whose proof has failed meanwhile
     */
    void stored(ChunkRef chunk) throws TierException {
        syncer.check();
        readers.check();
        synchronized (this) {
            waiting.add(chunk);
            waitingBytes += chunk.sizeBytes();
            if (waitingBytes >= groupBytes) {
                submit();
            }
        }
    }

    private void submit() {
        syncer.submit(List.copyOf(waiting));
        waiting.clear();
        waitingBytes = 0;
    }

    /**
     * Nothing more is stored: returns when all is durable and proven.
     *
     * @throws TierException as {@link #stored}
     */
    void finish() throws TierException, InterruptedException {
        synchronized (this) {
            submit();
        }
        syncer.finish();
        readers.finish();
    }

    @Override
    public void close() {
        syncer.close();
        readers.close();
        buffers.close();
    }
}
