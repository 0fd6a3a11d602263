package io.gpusnap.node.engine.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.RebuildableRange;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RebuildablePolicyTest {

    private static final long MIB = 1L << 20;
    private static final RebuildablePolicy ALL = new RebuildablePolicy(tag -> true, 1);

    @Test
    void onlyChunksOfWhichEveryByteIsDeclaredCount() {
        List<Allocation> allocations = List.of(allocation(7, 20 * MIB));

        assertThat(ALL.chunks(allocations, List.of(range(7, 4 * MIB, 8 * MIB)))).isEqualTo(Map.of(7L, bits(1, 2)));
        assertThat(ALL.chunks(allocations, List.of(range(7, 4 * MIB + 1, 8 * MIB))))
                .isEqualTo(Map.of(7L, bits(2)));
        assertThat(ALL.chunks(allocations, List.of(range(7, 4 * MIB, 8 * MIB - 1))))
                .isEqualTo(Map.of(7L, bits(1)));
        assertThat(ALL.chunks(allocations, List.of(range(7, MIB, 6 * MIB)))).isEmpty();
    }

    @Test
    void theLastChunkEndsWithTheAllocation() {
        List<Allocation> allocations = List.of(allocation(7, 6 * MIB));

        assertThat(ALL.chunks(allocations, List.of(range(7, 4 * MIB, 2 * MIB)))).isEqualTo(Map.of(7L, bits(1)));
        assertThat(ALL.chunks(allocations, List.of(range(7, 4 * MIB, 2 * MIB - 1))))
                .isEmpty();
        assertThat(ALL.chunks(allocations, List.of(range(7, 4 * MIB, 100 * MIB))))
                .isEqualTo(Map.of(7L, bits(1)));
    }

    @Test
    void rangesThatOverlapOrLieSideBySideCountTogether() {
        List<Allocation> allocations = List.of(allocation(7, 16 * MIB));
        List<RebuildableRange> ranges = List.of(
                range(7, 6 * MIB, 4 * MIB), range(7, 0, 3 * MIB), range(7, 3 * MIB, 3 * MIB), range(7, MIB, MIB));

        assertThat(ALL.chunks(allocations, ranges)).isEqualTo(Map.of(7L, bits(0, 1)));
    }

    @Test
    void whatWasFreedIsLeftOutWhateverIsHonoured() {
        List<RebuildableRange> ranges = List.of(
                new RebuildableRange(7, 0, 8 * MIB, 0, RebuildableRange.FREED),
                new RebuildableRange(7, 8 * MIB, 8 * MIB, 0, "kv-cache"));

        assertThat(RebuildablePolicy.none().chunks(List.of(allocation(7, 16 * MIB)), ranges))
                .isEqualTo(Map.of(7L, bits(0, 1)));
    }

    @Test
    void tagsThatAreNotHonouredAreAsIfNothingWereDeclared() {
        RebuildablePolicy policy = new RebuildablePolicy(Set.of("kv-cache")::contains, 1);
        List<RebuildableRange> ranges = List.of(
                new RebuildableRange(7, 0, 8 * MIB, 0, "kv-cache"),
                new RebuildableRange(7, 8 * MIB, 8 * MIB, 0, "other"));

        assertThat(policy.chunks(List.of(allocation(7, 16 * MIB)), ranges)).isEqualTo(Map.of(7L, bits(0, 1)));
        assertThat(RebuildablePolicy.none().chunks(List.of(allocation(7, 16 * MIB)), ranges))
                .isEmpty();
    }

    @Test
    void piecesBelowTheLeastSizeAreSaved() {
        RebuildablePolicy policy = new RebuildablePolicy(tag -> true, 8 * MIB);
        List<RebuildableRange> ranges =
                List.of(range(7, 0, 4 * MIB), range(7, 8 * MIB, 4 * MIB), range(7, 12 * MIB, 4 * MIB));

        assertThat(policy.chunks(List.of(allocation(7, 32 * MIB)), ranges)).isEqualTo(Map.of(7L, bits(2, 3)));
        assertThatThrownBy(() -> new RebuildablePolicy(tag -> true, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void rangesOutsideOfTheirAllocationOrOfUnknownOnesChangeNothing() {
        List<RebuildableRange> ranges = List.of(
                range(8, 0, 8 * MIB),
                range(7, 8 * MIB, 8 * MIB),
                range(7, -4 * MIB, 8 * MIB),
                range(7, 0, -1),
                range(7, 4 * MIB, Long.MAX_VALUE));

        assertThat(ALL.chunks(List.of(allocation(7, 8 * MIB)), ranges)).isEqualTo(Map.of(7L, bits(1)));
    }

    @Test
    void theAnswerIsThatOfLookingAtEveryPiece() {
        Random random = new Random(4);
        for (int round = 0; round < 500; round++) {
            long pieces = 1 + random.nextInt(40);
            List<RebuildableRange> ranges = random.ints(random.nextInt(6), 0, (int) pieces)
                    .mapToObj(start -> range(7, start * MIB, (1 + random.nextInt(16)) * MIB))
                    .toList();

            assertThat(ALL.chunks(List.of(allocation(7, pieces * MIB)), ranges))
                    .as("%d MiB, %s", pieces, ranges)
                    .isEqualTo(byEveryPiece(pieces, ranges));
        }
    }

    private static Map<Long, BitSet> byEveryPiece(long pieces, List<RebuildableRange> ranges) {
        BitSet chunks = new BitSet();
        for (long chunk = 0; chunk * 4 < pieces; chunk++) {
            boolean all = true;
            for (long piece = chunk * 4; piece < Math.min(pieces, chunk * 4 + 4); piece++) {
                long at = piece * MIB;
                all &= ranges.stream()
                        .anyMatch(range -> range.offsetBytes() <= at && at < range.offsetBytes() + range.sizeBytes());
            }
            chunks.set((int) chunk, all);
        }
        Map<Long, BitSet> expected = new HashMap<>();
        if (!chunks.isEmpty()) {
            expected.put(7L, chunks);
        }
        return expected;
    }

    private static Allocation allocation(long id, long sizeBytes) {
        return new Allocation(id, 0x7000_0000_0000L, sizeBytes, 0, 0, false);
    }

    private static RebuildableRange range(long id, long offsetBytes, long sizeBytes) {
        return new RebuildableRange(id, offsetBytes, sizeBytes, 0x7000_0000_0000L + offsetBytes, "kv-cache");
    }

    private static BitSet bits(int... numbers) {
        BitSet bits = new BitSet();
        for (int number : numbers) {
            bits.set(number);
        }
        return bits;
    }
}
