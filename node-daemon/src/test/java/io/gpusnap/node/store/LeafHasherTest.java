package io.gpusnap.node.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Two ways, one digest: a snapshot that one machine saved is read on any other. */
class LeafHasherTest {

    private static final int LEAVES = 1025;

    @Test
    void theFastestWayOfThisMachineAndJavasAgree() {
        Random random = new Random(11);
        for (int round = 0; round < 20; round++) {
            byte[] data = new byte[LeafHasher.LEAF_BYTES * (1 + random.nextInt(LEAVES - 1)) - random.nextInt(4096)];
            random.nextBytes(data);
            int zerosFrom = random.nextInt(data.length);
            Arrays.fill(data, zerosFrom, zerosFrom + random.nextInt(data.length - zerosFrom), (byte) 0);

            Leaves fastest = Leaves.of(LeafHasher.create(), data);

            assertThat(fastest).usingRecursiveComparison().isEqualTo(Leaves.of(new JavaLeafHasher(), data));
        }
    }

    @Test
    void aProcessorWithShaInstructionsUsesThem() throws Exception {
        boolean there = Files.readString(Path.of("/proc/cpuinfo")).contains(" sha_ni ");
        assertThat(LeafHasher.create() instanceof JavaLeafHasher).isEqualTo(!there);
    }

    private record Leaves(byte[] digests, byte[] zeros) {
        static Leaves of(LeafHasher hasher, byte[] data) {
            Leaves leaves = new Leaves(new byte[LEAVES * ChunkDigest.BYTES], new byte[LEAVES]);
            hasher.hash(MemorySegment.ofArray(data), leaves.digests, leaves.zeros);
            return leaves;
        }
    }
}
