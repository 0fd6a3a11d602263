package io.gpusnap.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What libgpusnap-leaves says is what the JDK says. */
class HostLeavesTest {

    private static final int MIB = 1 << 20;

    private static boolean processorHasIt() throws Exception {
        return Files.readString(Path.of("/proc/cpuinfo")).contains(" sha_ni ");
    }

    private static byte[] content(int size) {
        byte[] content = new byte[size];
        new Random(7).nextBytes(content);
        Arrays.fill(content, size / 4, size / 2, (byte) 0);
        return content;
    }

    private static void expectDigests(byte[] content, byte[] digests, byte[] zeros) throws Exception {
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        for (int leaf = 0, from = 0; from < content.length; leaf++, from += HostLeaves.LEAF_BYTES) {
            byte[] bytes = Arrays.copyOfRange(content, from, Math.min(content.length, from + HostLeaves.LEAF_BYTES));
            byte[] digest =
                    Arrays.copyOfRange(digests, leaf * HostLeaves.DIGEST_BYTES, (leaf + 1) * HostLeaves.DIGEST_BYTES);
            assertThat(digest).as("leaf %d", leaf).isEqualTo(sha256.digest(bytes));
            assertThat(zeros[leaf]).as("leaf %d", leaf).isEqualTo((byte)
                    (Arrays.equals(bytes, new byte[bytes.length]) ? 1 : 0));
        }
    }

    @Test
    void leavesOfNativeMemoryAndOfArraysAreDigested() throws Exception {
        if (!processorHasIt()) {
            assertThatThrownBy(HostLeaves::load).hasMessageContaining("SHA instructions");
            return;
        }
        HostLeaves leaves = HostLeaves.load();
        byte[] content = content(3 * MIB + 5);
        byte[] digests = new byte[(3 * MIB / HostLeaves.LEAF_BYTES + 1) * HostLeaves.DIGEST_BYTES];
        byte[] zeros = new byte[3 * MIB / HostLeaves.LEAF_BYTES + 1];

        leaves.digest(MemorySegment.ofArray(content), digests, zeros);
        expectDigests(content, digests, zeros);

        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(content.length + 1L);
            MemorySegment.copy(content, 0, memory, ValueLayout.JAVA_BYTE, 1, content.length);
            Arrays.fill(digests, (byte) 9);
            leaves.digest(memory.asSlice(1), digests, zeros);
            expectDigests(content, digests, zeros);
        }
    }

    @Test
    void arraysThatAreTooSmallAreRefusedBeforeAnythingIsWritten() throws Exception {
        if (!processorHasIt()) {
            assertThatThrownBy(HostLeaves::load).hasMessageContaining("SHA instructions");
            return;
        }
        HostLeaves leaves = HostLeaves.load();
        MemorySegment data = MemorySegment.ofArray(content(MIB));
        byte[] zeros = new byte[MIB / HostLeaves.LEAF_BYTES];

        assertThatThrownBy(() -> leaves.digest(data, new byte[100], zeros))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> leaves.digest(
                        data, new byte[zeros.length * HostLeaves.DIGEST_BYTES], new byte[zeros.length - 1]))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(zeros).containsOnly(0);
    }
}
