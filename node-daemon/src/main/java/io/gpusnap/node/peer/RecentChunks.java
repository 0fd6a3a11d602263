package io.gpusnap.node.peer;

import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Chunks that were read a moment ago and that others may want, in a bounded piece of memory; the oldest go first. It holds
 * verified content only. It is a ring of blocks, filled one after the other: chunks of every size find a place without gaps to
 * look after. A block's memory is taken when it is first needed. Thread-safe.
 */
final class RecentChunks {

    private static final int BLOCK_BYTES = 4 * TreeDigester.MAX_CHUNK_BYTES;
    private static final int PAGE_BYTES = 4096;

    /** Its chunks go together. Bytes go in and out under the shared lock, so that they do not go meanwhile. */
    private static final class Block {
        private final ReadWriteLock lock = new ReentrantReadWriteLock();
        private final MemorySegment memory = Arena.ofAuto().allocate(BLOCK_BYTES, PAGE_BYTES);
        private final List<ChunkRef> chunks = new ArrayList<>();
        private int usedBytes;
        private long round;
    }

    /** @param round of the block: another one is over */
    private record Spot(Block block, int offset, long round) {}

    private final int mostBlocks;
    private final List<Block> blocks = new ArrayList<>();
    private int current;
    private final Map<ChunkRef, Spot> spots = new HashMap<>();

    RecentChunks(long mostBytes) {
        this.mostBlocks = (int) Math.max(2, mostBytes / BLOCK_BYTES);
    }

    synchronized boolean contains(ChunkRef chunk) {
        return spots.containsKey(chunk);
    }

    /** @param content verified */
    void put(ChunkRef chunk, MemorySegment content) {
        Optional<Spot> reserved = reserve(chunk);
        if (reserved.isEmpty()) {
            return;
        }
        Spot spot = reserved.get();
        Lock shared = spot.block().lock.readLock();
        shared.lock();
        try {
            if (spot.block().round != spot.round()) {
                return; // the ring has gone round since
            }
            MemorySegment.copy(content, 0, spot.block().memory, spot.offset(), chunk.sizeBytes());
            synchronized (this) {
                if (spots.putIfAbsent(chunk, spot) == null) {
                    spot.block().chunks.add(chunk);
                }
            }
        } finally {
            shared.unlock();
        }
    }

    /** Empty when it is there already. */
    private Optional<Spot> reserve(ChunkRef chunk) {
        while (true) {
            Block full;
            synchronized (this) {
                if (spots.containsKey(chunk)) {
                    return Optional.empty();
                }
                Block block = block();
                if (BLOCK_BYTES - block.usedBytes >= chunk.sizeBytes()) {
                    Spot spot = new Spot(block, block.usedBytes, block.round);
                    block.usedBytes += chunk.sizeBytes();
                    return Optional.of(spot);
                }
                current = (current + 1) % mostBlocks;
                full = block();
                if (full.usedBytes == 0) {
                    continue;
                }
            }
            empty(full);
        }
    }

    /** The one that is being filled. Called with this object's lock held. */
    private Block block() {
        if (current == blocks.size()) {
            blocks.add(new Block());
        }
        return blocks.get(current);
    }

    /** Not under this object's lock: who has the block's lock may be waiting for that. */
    private void empty(Block block) {
        Lock alone = block.lock.writeLock();
        alone.lock();
        try {
            synchronized (this) {
                block.chunks.forEach(spots::remove);
                block.chunks.clear();
                block.usedBytes = 0;
                block.round++;
            }
        } finally {
            alone.unlock();
        }
    }

    /** @return false when it is not, or no longer, there */
    boolean copy(ChunkRef chunk, MemorySegment target) {
        Spot spot;
        synchronized (this) {
            spot = spots.get(chunk);
        }
        if (spot == null) {
            return false;
        }
        Lock shared = spot.block().lock.readLock();
        shared.lock();
        try {
            if (spot.block().round != spot.round()) {
                return false;
            }
            MemorySegment.copy(spot.block().memory, spot.offset(), target, 0, chunk.sizeBytes());
            return true;
        } finally {
            shared.unlock();
        }
    }
}
