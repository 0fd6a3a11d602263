package io.gpusnap.node.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class RecentChunksTest {

    private static final long TWO_BLOCKS = 32 << 20;

    private final TreeDigester digester = new TreeDigester();

    private static MemorySegment content(int seed, int sizeBytes) {
        byte[] bytes = new byte[sizeBytes];
        new Random(seed).nextBytes(bytes);
        return MemorySegment.ofArray(bytes);
    }

    private ChunkRef put(RecentChunks recent, int seed, int sizeBytes) {
        MemorySegment content = content(seed, sizeBytes);
        ChunkRef chunk = digester.digest(content);
        recent.put(chunk, content);
        return chunk;
    }

    private static boolean holds(RecentChunks recent, ChunkRef chunk) {
        MemorySegment target = MemorySegment.ofArray(new byte[chunk.sizeBytes()]);
        return recent.copy(chunk, target) && new TreeDigester().digest(target).equals(chunk);
    }

    @Test
    void theOldestGoFirstAndTheMemoryIsBounded() {
        // given chunks of 3 MiB, of which 5 go into a block of 16
        RecentChunks recent = new RecentChunks(TWO_BLOCKS);
        List<ChunkRef> chunks = new ArrayList<>();
        for (int i = 0; i < 11; i++) {
            chunks.add(put(recent, i, 3 << 20));
        }
        // then the first block went when the third was begun
        assertThat(chunks.subList(0, 5)).noneMatch(recent::contains);
        assertThat(chunks.subList(5, 11)).allMatch(chunk -> holds(recent, chunk));
    }

    @Test
    void chunksOfAnySizeShareABlock() {
        RecentChunks recent = new RecentChunks(TWO_BLOCKS);
        List<ChunkRef> chunks = new ArrayList<>();
        for (int size : new int[] {1, 4096, 4 << 20, 12_345, 1 << 20}) {
            chunks.add(put(recent, size, size));
        }
        assertThat(chunks).allMatch(chunk -> holds(recent, chunk));
    }

    @Test
    void whatIsCopiedOutWhileTheRingGoesRoundIsRightOrNotThere() throws Exception {
        // given writers that go round and round, and readers
        RecentChunks recent = new RecentChunks(TWO_BLOCKS);
        List<ChunkRef> chunks = new ArrayList<>();
        List<MemorySegment> contents = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            contents.add(content(i, 2 << 20));
            chunks.add(digester.digest(contents.get(i)));
        }
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            List<Future<Integer>> reading = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                int seed = t;
                reading.add(threads.submit((Callable<Integer>) () -> {
                    Random random = new Random(seed);
                    MemorySegment target = MemorySegment.ofArray(new byte[2 << 20]);
                    TreeDigester own = new TreeDigester();
                    int found = 0;
                    for (int i = 0; i < 60; i++) {
                        int one = random.nextInt(24);
                        recent.put(chunks.get(one), contents.get(one));
                        int other = random.nextInt(24);
                        if (recent.copy(chunks.get(other), target)) {
                            assertThat(own.digest(target)).isEqualTo(chunks.get(other));
                            found++;
                        }
                    }
                    return found;
                }));
            }
            // then
            int found = 0;
            for (Future<Integer> one : reading) {
                found += one.get();
            }
            assertThat(found).isPositive();
        }
    }
}
