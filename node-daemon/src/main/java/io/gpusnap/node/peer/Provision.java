package io.gpusnap.node.peer;

import io.gpusnap.node.peer.Shares.Share;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.Lease;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.Traffic;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this node gives to others: chunks of one snapshot, from memory, from its own store, or, while it brings back that
 * snapshot itself, from what it reads. Bounded in requests, memory and rate, and behind this node's own thaws of other snapshots.
 */
final class Provision {

    private static final Logger LOG = LoggerFactory.getLogger(Provision.class);

    private static final int STEP_BYTES = 256 << 10;
    private static final int PAGE_BYTES = 4096;

    private final PeerSettings settings;
    private final SnapshotStore store;
    private final Shares shares;
    private final Flights flights;
    private final RecentChunks recent;
    private final PeerCounts counts;
    private final Traffic traffic;
    private final Traffic.Share rate;
    private final Semaphore room;
    private final ConcurrentLinkedQueue<Desk> desks = new ConcurrentLinkedQueue<>();

    /** What one request needs, used again by the next. */
    private static final class Desk implements Nearby.Target {
        private final MemorySegment chunk = Arena.ofAuto().allocate(TreeDigester.MAX_CHUNK_BYTES, PAGE_BYTES);
        private final byte[] step = new byte[STEP_BYTES];

        @Override
        public MemorySegment memory(ChunkRef wanted) {
            return chunk;
        }

        @Override
        public void arrived(ChunkRef arrived, MemorySegment content) {
            // it is among the recent ones, for whoever wants it
        }
    }

    Provision(
            PeerSettings settings,
            SnapshotStore store,
            Shares shares,
            Flights flights,
            RecentChunks recent,
            PeerCounts counts,
            Traffic traffic) {
        this.settings = settings;
        this.store = store;
        this.shares = shares;
        this.flights = flights;
        this.recent = recent;
        this.counts = counts;
        this.traffic = traffic;
        this.rate = new Traffic(settings.mostBytesPerSecond()).share(Traffic.Priority.URGENT, 0);
        this.room = new Semaphore(settings.connections(), true);
    }

    void refused() {
        counts.refusedToken();
    }

    /** Empty when this node does not know the snapshot. */
    Optional<Share> find(SnapshotId snapshot, String manifestDigest) throws InterruptedException {
        return shares.find(snapshot, manifestDigest);
    }

    /** Whether there is room; who gets true calls {@link #leave}. */
    boolean enter(Share share) throws InterruptedException {
        // Whoever brings back the same snapshot helps as much as he is helped; others wait for this node's own thaws.
        if (share.gathering().isEmpty() && !traffic.isQuiet()) {
            return false;
        }
        return room.tryAcquire(settings.timeout().toMillis() / 4, TimeUnit.MILLISECONDS);
    }

    void leave() {
        room.release();
    }

    /** Reads what is not here yet, as far as the mode says, and waits for what is on its way. */
    private void prepare(Share share, Mode mode, List<ChunkRef> wanted, Desk desk) throws InterruptedException {
        List<ChunkRef> absent = wanted.stream().filter(chunk -> !isHere(chunk)).toList();
        if (mode == Mode.FETCH && share.gathering().isPresent() && !absent.isEmpty()) {
            try {
                share.gathering().get().read(absent, store.sources(), desk);
            } catch (TierException e) {
                LOG.atWarn().addKeyValue("reason", e.getMessage()).log("a peer's chunks cannot be read here either");
            }
            return;
        }
        long end = System.nanoTime() + settings.timeout().toNanos() / 2;
        for (ChunkRef chunk : absent) {
            flights.await(chunk, Flights.Stage.STORE, end - System.nanoTime());
        }
    }

    private boolean isHere(ChunkRef chunk) {
        ChunkDigest digest = new ChunkDigest(chunk.digest());
        try {
            return recent.contains(chunk)
                    || store.memory().contains(digest, chunk.sizeBytes())
                    || store.nvme().contains(digest, chunk.sizeBytes());
        } catch (TierException e) {
            return false;
        }
    }

    /** Writes them in the order in which they were asked for, each behind its length. */
    void write(Share share, Mode mode, List<ChunkRef> wanted, DataOutputStream out)
            throws IOException, InterruptedException {
        Desk free = desks.poll();
        Desk desk = free == null ? new Desk() : free;
        try {
            prepare(share, mode, wanted, desk);
            for (ChunkRef chunk : wanted) {
                if (!copied(chunk, desk.chunk)) {
                    out.writeInt(PeerClient.NOT_HERE);
                    continue;
                }
                await(chunk.sizeBytes());
                out.writeInt(chunk.sizeBytes());
                for (int done = 0; done < chunk.sizeBytes(); done += STEP_BYTES) {
                    int some = Math.min(STEP_BYTES, chunk.sizeBytes() - done);
                    MemorySegment.copy(desk.chunk, ValueLayout.JAVA_BYTE, done, desk.step, 0, some);
                    out.write(desk.step, 0, some);
                }
                counts.served(chunk.sizeBytes());
            }
        } finally {
            desks.add(desk);
        }
    }

    private void await(long bytes) throws IOException, InterruptedException {
        try {
            rate.take(bytes, () -> {});
        } catch (TierException e) {
            throw new IOException("the wait for what others may get has ended", e);
        }
    }

    /** Not verified once more: whoever asks does that. */
    private boolean copied(ChunkRef chunk, MemorySegment target) {
        ChunkDigest digest = new ChunkDigest(chunk.digest());
        if (recent.copy(chunk, target)) {
            return true;
        }
        Optional<Lease> lease = store.memory().leaseVerified(digest, chunk.sizeBytes());
        if (lease.isPresent()) {
            try (Lease held = lease.get()) {
                MemorySegment.copy(held.content(), 0, target, 0, chunk.sizeBytes());
                return true;
            }
        }
        try {
            store.nvme().read(digest, chunk.sizeBytes(), target);
            return true;
        } catch (TierException e) {
            return false;
        }
    }
}
