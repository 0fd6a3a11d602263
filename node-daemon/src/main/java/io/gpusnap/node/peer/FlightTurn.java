package io.gpusnap.node.peer;

import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.snapshot.ReadBytes;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** One thread's turn. What it claims others wait for until it has landed, so it waits for others only when nothing is claimed any more. */
final class FlightTurn implements Nearby.Turn, Nearby.Target {

    private final Flights flights;
    private final RecentChunks recent;
    private final ReadBytes bytes;
    private final boolean keeps;
    private final Flights.Stage waitsFor;
    private final long waitNanos;
    private final Nearby.Target target;
    private final Set<ChunkRef> mine;
    private final List<ChunkRef> others;

    /**
     * @param bytes is told of what another operation had read
     * @param keeps other nodes will ask for what this turn reads
     * @param begins how far it is to begin with
     * @param waitsFor how far others must be to be waited for
     */
    FlightTurn(
            Flights flights,
            RecentChunks recent,
            ReadBytes bytes,
            boolean keeps,
            Flights.Stage begins,
            Flights.Stage waitsFor,
            Duration wait,
            List<ChunkRef> chunks,
            Nearby.Target target)
            throws TierException, InterruptedException {
        this.flights = flights;
        this.recent = recent;
        this.bytes = bytes;
        this.keeps = keeps;
        this.waitsFor = waitsFor;
        this.waitNanos = wait.toNanos();
        this.target = target;
        Flights.Claim claim = flights.claim(chunks, begins);
        this.mine = new LinkedHashSet<>(claim.mine());
        this.others = claim.others();
        boolean begun = false;
        try {
            for (ChunkRef chunk : claim.mine()) {
                if (copied(chunk)) {
                    land(chunk);
                }
            }
            begun = true;
        } finally {
            if (!begun) {
                close();
            }
        }
    }

    private boolean copied(ChunkRef chunk) throws TierException, InterruptedException {
        if (!recent.contains(chunk)) {
            return false;
        }
        MemorySegment memory = target.memory(chunk);
        if (!recent.copy(chunk, memory)) {
            return false;
        }
        bytes.add(ChunkSources.MEMORY, chunk.sizeBytes());
        target.arrived(chunk, memory.asSlice(0, chunk.sizeBytes()));
        return true;
    }

    @Override
    public List<ChunkRef> left() {
        return List.copyOf(mine);
    }

    void reach(Flights.Stage stage) {
        flights.reach(mine, stage);
    }

    @Override
    public void read(ChunkRef chunk, MemorySegment content) {
        if (mine.contains(chunk)) {
            if (keeps || flights.isAwaited(chunk)) {
                recent.put(chunk, content);
            }
            land(chunk);
        }
    }

    private void land(ChunkRef chunk) {
        if (mine.remove(chunk)) {
            flights.land(chunk);
        }
    }

    /** For what a peer brings. */
    @Override
    public MemorySegment memory(ChunkRef chunk) {
        return target.memory(chunk);
    }

    @Override
    public void arrived(ChunkRef chunk, MemorySegment content) throws TierException, InterruptedException {
        bytes.add(ChunkSources.PEER, chunk.sizeBytes());
        read(chunk, content);
        target.arrived(chunk, content);
    }

    @Override
    public List<ChunkRef> late() throws TierException, InterruptedException {
        close();
        long end = System.nanoTime() + waitNanos;
        List<ChunkRef> missing = new ArrayList<>();
        for (ChunkRef chunk : others) {
            flights.await(chunk, waitsFor, end - System.nanoTime());
            if (!copied(chunk)) {
                missing.add(chunk);
            }
        }
        return missing;
    }

    @Override
    public void close() {
        List.copyOf(mine).forEach(this::land);
    }
}
