package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkRef;
import java.util.List;

/**
 * Chunks that lie close to each other in one pack, and are read at once.
 *
 * @param offset of the first byte that is read
 * @param sizeBytes of what is read, at most {@link #MOST_BYTES}
 */
public record PackRun(PackTable.Pack pack, long offset, int sizeBytes, List<PackEntry> entries) {

    /** What one read asks for at most, and so the buffer that a reader needs. */
    public static final int MOST_BYTES = 8 << 20;
    /** Bytes of other chunks that are read along rather than to ask twice. */
    static final int MOST_GAP_BYTES = 256 << 10;

    public PackRun {
        entries = List.copyOf(entries);
    }

    /** Packs are divided into stretches of this size; a chunk is in the one in which it begins. */
    private static final int WINDOW_SHIFT = 23;

    /** The stretch that all of its chunks begin in: the same on every node that reads this store. */
    public String window() {
        return window(pack, entries.getFirst());
    }

    static String window(PackTable.Pack pack, PackEntry entry) {
        return pack.id().hex() + ":" + (entry.offset() >> WINDOW_SHIFT);
    }

    static boolean sameWindow(PackEntry one, PackEntry other) {
        return one.offset() >> WINDOW_SHIFT == other.offset() >> WINDOW_SHIFT;
    }

    /** Its chunks, each in a run of its own. */
    public List<PackRun> singly() {
        return entries.stream()
                .map(entry -> new PackRun(pack, entry.offset(), entry.frameBytes(), List.of(entry)))
                .toList();
    }

    /** What its chunks take in the pack. */
    public long frameBytes() {
        return entries.stream().mapToLong(PackEntry::frameBytes).sum();
    }

    /** What is in it. */
    public List<ChunkRef> chunks() {
        return entries.stream()
                .map(entry -> ChunkRef.of(entry.digest(), entry.sizeBytes()))
                .toList();
    }
}
