package io.gpusnap.node.peer;

import io.gpusnap.node.store.ChunkRef;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Which chunks somebody on this node reads right now: one reads, the others wait for it. Who waits on behalf of another node must
 * not wait for somebody who waits for another node: they might wait for each other. Thread-safe.
 */
final class Flights {

    /** What whoever reads waits for at worst; a later one never waits for an earlier one on another node. */
    enum Stage {
        /** Another node that is to read it. */
        AT_HOME,
        /** Other nodes that may have it, or read it from the store. */
        AROUND,
        /** The store. */
        STORE
    }

    private static final class Flight {
        private final CountDownLatch landed = new CountDownLatch(1);
        private Stage stage;
        private boolean awaited;

        private Flight(Stage stage) {
            this.stage = stage;
        }
    }

    private final Map<ChunkRef, Flight> underWay = new HashMap<>();

    /** @param mine the caller reads them, and must {@link #land} each */
    record Claim(List<ChunkRef> mine, List<ChunkRef> others) {}

    synchronized Claim claim(Collection<ChunkRef> chunks, Stage stage) {
        List<ChunkRef> mine = new ArrayList<>();
        List<ChunkRef> others = new ArrayList<>();
        for (ChunkRef chunk : chunks) {
            Flight other = underWay.putIfAbsent(chunk, new Flight(stage));
            if (other == null) {
                mine.add(chunk);
            } else {
                other.awaited = true;
                others.add(chunk);
            }
        }
        return new Claim(mine, others);
    }

    /** Those of the caller's own are that far. */
    synchronized void reach(Collection<ChunkRef> chunks, Stage stage) {
        for (ChunkRef chunk : chunks) {
            Flight flight = underWay.get(chunk);
            if (flight != null) {
                flight.stage = stage;
            }
        }
    }

    /** Whether it is to be left where others find it. */
    synchronized boolean isAwaited(ChunkRef chunk) {
        Flight flight = underWay.get(chunk);
        return flight != null && flight.awaited;
    }

    /** Read, or given up. */
    synchronized void land(ChunkRef chunk) {
        Flight flight = underWay.remove(chunk);
        if (flight != null) {
            flight.landed.countDown();
        }
    }

    /** Returns when nobody reads the chunk any more, or whoever does is not yet that far, or the time is over. */
    void await(ChunkRef chunk, Stage least, long nanos) throws InterruptedException {
        Flight flight = awaited(chunk, least);
        if (flight != null && nanos > 0) {
            flight.landed.await(nanos, TimeUnit.NANOSECONDS);
        }
    }

    private synchronized @Nullable Flight awaited(ChunkRef chunk, Stage least) {
        Flight flight = underWay.get(chunk);
        if (flight == null || flight.stage.compareTo(least) < 0) {
            return null;
        }
        flight.awaited = true;
        return flight;
    }
}
