package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.RebuildableRange;
import io.gpusnap.node.tier.Slot;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Which chunks of a workload's device memory need not be saved, because the application says that it can rebuild them and this
 * node honours that, or has freed them. A chunk counts only if every byte of it is declared or freed.
 *
 * @param tags the tags that are honoured; what was freed is nothing that anyone has to be believed
 * @param leastBytes declared memory in one piece that is smaller is saved all the same
 */
public record RebuildablePolicy(Predicate<String> tags, long leastBytes) {

    /** From one declared byte to the next one that is not. */
    private record Stretch(long start, long end) {}

    public RebuildablePolicy {
        if (leastBytes < 1) {
            throw new IllegalArgumentException("leastBytes is not positive: " + leastBytes);
        }
    }

    /** Saves everything that is not freed. */
    public static RebuildablePolicy none() {
        return new RebuildablePolicy(tag -> false, 1);
    }

    /**
     * @param ranges may overlap, lie side by side, and be of allocations that are not asked about
     * @return allocation ids and the numbers of the chunks, counted in 4 MiB from the allocation's start, the last one may be
     *     shorter; allocations without such a chunk are left out
     */
    public Map<Long, BitSet> chunks(Collection<Allocation> allocations, Collection<RebuildableRange> ranges) {
        Map<Long, BitSet> rebuildable = new HashMap<>();
        for (Allocation allocation : allocations) {
            List<RebuildableRange> own = ranges.stream()
                    .filter(range -> range.allocationId() == allocation.id() && leavesOut(range.tag()))
                    .toList();
            BitSet chunks = chunks(allocation.sizeBytes(), own);
            if (!chunks.isEmpty()) {
                rebuildable.put(allocation.id(), chunks);
            }
        }
        return rebuildable;
    }

    private boolean leavesOut(String tag) {
        return tag.equals(RebuildableRange.FREED) || tags.test(tag);
    }

    private BitSet chunks(long sizeBytes, List<RebuildableRange> ranges) {
        BitSet chunks = new BitSet();
        for (Stretch stretch : stretches(sizeBytes, ranges)) {
            if (stretch.end() - stretch.start() < leastBytes) {
                continue;
            }
            long first = Math.ceilDiv(stretch.start(), Slot.BYTES);
            // The last chunk ends with the allocation.
            long end = stretch.end() == sizeBytes
                    ? Math.ceilDiv(sizeBytes, Slot.BYTES)
                    : Math.floorDiv(stretch.end(), Slot.BYTES);
            if (first < end) {
                chunks.set(Math.toIntExact(first), Math.toIntExact(end));
            }
        }
        return chunks;
    }

    private static List<Stretch> stretches(long sizeBytes, List<RebuildableRange> ranges) {
        List<Stretch> sorted = ranges.stream()
                .filter(range -> range.offsetBytes() >= 0 && range.offsetBytes() < sizeBytes && range.sizeBytes() > 0)
                .map(range -> new Stretch(
                        range.offsetBytes(),
                        range.offsetBytes() + Math.min(range.sizeBytes(), sizeBytes - range.offsetBytes())))
                .sorted(Comparator.comparingLong(Stretch::start))
                .toList();
        List<Stretch> joined = new ArrayList<>();
        for (Stretch next : sorted) {
            Stretch last = joined.isEmpty() ? null : joined.getLast();
            if (last != null && next.start() <= last.end()) {
                joined.set(joined.size() - 1, new Stretch(last.start(), Math.max(last.end(), next.end())));
            } else {
                joined.add(next);
            }
        }
        return joined;
    }
}
