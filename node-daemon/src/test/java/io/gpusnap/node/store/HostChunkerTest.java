package io.gpusnap.node.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HostChunkerTest {

    private static final int PAGE = 4096;

    @Test
    void chunksAddUpAndKeepTheirBounds() throws Exception {
        // given
        byte[] image = pages(8192, 1);
        // when
        List<ChunkRef> chunks = cut(image);
        // then
        assertThat(chunks.stream().mapToLong(ChunkRef::sizeBytes).sum()).isEqualTo(image.length);
        assertThat(chunks.subList(0, chunks.size() - 1)).allSatisfy(chunk -> {
            assertThat(chunk.sizeBytes() % PAGE).isZero();
            assertThat(chunk.sizeBytes()).isBetween(LeafTable.MIN_CHUNK_BYTES, TreeDigester.MAX_CHUNK_BYTES);
        });
        assertThat(chunks.size()).as("32 MiB in chunks of about 1 MiB").isBetween(12, 100);
        assertEachDigestIsTheTreeDigest(image, chunks);
    }

    @Test
    void pagesThatMovedGiveTheSameChunksAgain() {
        // given an image, and the same with 3 pages put in near its start
        byte[] image = pages(8192, 2);
        byte[] moved = new byte[image.length + 3 * PAGE];
        System.arraycopy(image, 0, moved, 0, 10 * PAGE);
        System.arraycopy(pages(3, 99), 0, moved, 10 * PAGE, 3 * PAGE);
        System.arraycopy(image, 10 * PAGE, moved, 13 * PAGE, image.length - 10 * PAGE);
        // when
        List<ChunkRef> before = cut(image);
        List<ChunkRef> after = cut(moved);
        // then
        long fresh = after.stream()
                .filter(chunk -> !new HashSet<>(before).contains(chunk))
                .mapToLong(ChunkRef::sizeBytes)
                .sum();
        assertThat(fresh).isLessThan(image.length / 5);
    }

    @Test
    void zerosAreCutOnlyAtTheUpperBoundAndAreZeroChunks() {
        assertThat(cut(new byte[9 << 20]))
                .containsExactly(ChunkRef.zero(4 << 20), ChunkRef.zero(4 << 20), ChunkRef.zero(1 << 20));
    }

    @Test
    void blocksThatComeInAnyOrderAreCutAsSoonAsTheyCanBe() {
        // given
        byte[] image = pages(4 * LeafTable.LEAVES_PER_BLOCK + 3, 4);
        LeafTable table = new LeafTable(image.length);
        HostChunker chunker = new HostChunker();
        List<ChunkRef> chunks = new ArrayList<>();
        List<Integer> cut = new ArrayList<>();
        // when
        for (int block : new int[] {1, 0, 4, 3, 2}) {
            chunker.hashBlock(MemorySegment.ofArray(image), block, table);
            List<ChunkRef> next = table.cut();
            chunks.addAll(next);
            cut.add(next.size());
            // then
            assertThat(table.cutBytes())
                    .isEqualTo(chunks.stream().mapToLong(ChunkRef::sizeBytes).sum());
        }
        assertThat(chunks).isEqualTo(cut(image));
        assertThat(cut.get(0)).isZero();
        assertThat(cut.get(1)).isPositive();
        assertThat(cut.subList(2, 4)).containsOnly(0);
        assertThat(cut.get(4)).isPositive();
    }

    @Test
    void aShortLastPageAndAnEmptyImageAreFine() throws Exception {
        byte[] image = pages(2, 3);
        byte[] shortened = Arrays.copyOf(image, PAGE + 17);
        assertEachDigestIsTheTreeDigest(shortened, cut(shortened));
        assertThat(cut(new byte[0])).isEmpty();
    }

    private static void assertEachDigestIsTheTreeDigest(byte[] image, List<ChunkRef> chunks) throws Exception {
        int at = 0;
        for (ChunkRef chunk : chunks) {
            byte[] content = Arrays.copyOfRange(image, at, at + chunk.sizeBytes());
            assertThat(chunk.digest()).isEqualTo(TreeDigesterTest.naive(content));
            at += chunk.sizeBytes();
        }
    }

    private static List<ChunkRef> cut(byte[] image) {
        LeafTable table = new LeafTable(image.length);
        HostChunker chunker = new HostChunker();
        for (int block = 0; block < table.blocks(); block++) {
            chunker.hashBlock(MemorySegment.ofArray(image), block, table);
        }
        return table.cut();
    }

    private static byte[] pages(int count, long seed) {
        byte[] pages = new byte[count * PAGE];
        new Random(seed).nextBytes(pages);
        return pages;
    }
}
