package io.gpusnap.node.tier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException.Reason;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NvmeTierTest extends ChunkTierContract {

    @TempDir
    Path folder;

    @TempDir
    Path elsewhere;

    @Override
    protected ChunkTier open() throws Exception {
        return new NvmeTier(StoreRoot.open(folder), 0);
    }

    @Override
    protected ChunkTier open(Middle middle) throws Exception {
        return new NvmeTier(FaultyDisk.under(folder, middle), 0);
    }

    @Override
    protected ChunkTier afterAKill() throws Exception {
        return new NvmeTier(FaultyDisk.imageOf(folder, elsewhere), 0);
    }

    @Override
    protected void assertHoldsNothing() throws Exception {
        FaultyDisk.assertHoldsNoChunk(folder);
    }

    @Test
    void aFileThatDoesNotGetItsNameLeavesNothingBehind(@TempDir Path other) throws Exception {
        FaultyDisk disk = new FaultyDisk(() -> {});
        try (NvmeTier tier = new NvmeTier(StoreRoot.open(other, disk), 0)) {
            byte[] content = random(100, 3);
            disk.failRename();
            // when
            assertReason(Reason.IO, () -> tier.put(digestOf(content), MemorySegment.ofArray(content)));
            // then
            assertThat(tier.list()).isEmpty();
            assertThat(tier.usage().usedBytes()).isZero();
            assertThat(other.resolve("tmp")).isEmptyDirectory();
            assertThat(tier.put(digestOf(content), MemorySegment.ofArray(content)))
                    .isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 8999, 9001})
    void aFileThatChangedItsSizeIsCorruptAndPutMendsIt(int size, @TempDir Path other) throws Exception {
        try (NvmeTier tier = new NvmeTier(StoreRoot.open(other), 0)) {
            // given
            byte[] content = random(9000, 3);
            ChunkDigest digest = digestOf(content);
            tier.put(digest, MemorySegment.ofArray(content));
            Path file = other.resolve("chunks/" + digest.hex().substring(0, 2) + "/" + digest.hex());
            Files.write(file, Arrays.copyOf(content, size));
            // when, then
            MemorySegment buffer = Arena.ofAuto().allocate(16384, 4096);
            for (MemorySegment into : List.of(buffer, buffer.asSlice(1))) { // past the page cache and through it
                assertReason(Reason.CORRUPT, () -> tier.read(digest, 9000, into));
            }
            assertThat(tier.put(digest, MemorySegment.ofArray(content))).isTrue();
            tier.read(digest, 9000, buffer);
            assertThat(Files.readAllBytes(file)).isEqualTo(content);
        }
    }

    @Test
    void aChunksFileIsNamedOnlyWhenItIsOneOfTheRightSize(@TempDir Path other) throws Exception {
        try (NvmeTier tier = new NvmeTier(StoreRoot.open(other), 0)) {
            byte[] content = random(9000, 4);
            ChunkDigest digest = digestOf(content);
            assertReason(Reason.MISSING, () -> tier.file(digest, 9000));
            tier.put(digest, MemorySegment.ofArray(content));

            assertThat(tier.file(digest, 9000)).hasBinaryContent(content);
            assertReason(Reason.CORRUPT, () -> tier.file(digest, 9001));
        }
    }

    @Test
    void onlyOneDaemonHasAStoreOpen() {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> StoreRoot.open(folder))
                .withMessageContaining("another daemon holds")
                .withMessageContaining("nvme.root");
    }

    @Test
    void leftOversOfACrashAreCleanedAtOpenAndAnUnknownVersionIsRefused(@TempDir Path other) throws Exception {
        // given
        StoreRoot.open(other).close();
        Files.writeString(other.resolve("tmp/abc.1"), "half a chunk");
        // when
        StoreRoot.open(other).close();
        // then
        assertThat(other.resolve("tmp")).isEmptyDirectory();
        Files.writeString(other.resolve("VERSION"), "gpusnap-store 9\n");
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> StoreRoot.open(other))
                .withMessageContaining("VERSION");
    }

    @Test
    void aStoreWithALinkedFolderIsRefused(@TempDir Path other) throws Exception {
        Path elsewhere = Files.createDirectories(other.resolve("elsewhere"));
        Files.createSymbolicLink(other.resolve("chunks"), elsewhere);
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> StoreRoot.open(other))
                .withMessageContaining("symbolic link");
    }

    @Test
    void aLinkInAChunksPlaceIsNeitherReadNorWrittenThrough(@TempDir Path elsewhere) throws Exception {
        // given
        byte[] content = random(100, 8);
        Path precious = Files.writeString(elsewhere.resolve("precious"), "precious");
        try (NvmeTier tier = new NvmeTier(StoreRoot.open(elsewhere.resolve("store")), 0)) {
            Path place = elsewhere.resolve("store/chunks/"
                    + digestOf(content).hex().substring(0, 2) + "/"
                    + digestOf(content).hex());
            Files.createDirectories(place.getParent());
            Files.createSymbolicLink(place, precious);
            // when, then
            assertThat(tier.contains(digestOf(content), 8)).isFalse();
            MemorySegment buffer = Arena.ofAuto().allocate(4096, 4096);
            assertReason(Reason.IO, () -> tier.read(digestOf(content), 100, buffer));
            assertReason(Reason.CORRUPT, () -> tier.file(digestOf(content), 8));
            tier.put(digestOf(content), MemorySegment.ofArray(content));
            assertThat(Files.readString(precious)).isEqualTo("precious");
            assertThat(Files.isSymbolicLink(place)).isFalse();
        }
    }

    @Test
    void theReserveIsLeftAlone(@TempDir Path other) throws Exception {
        try (NvmeTier tier = new NvmeTier(StoreRoot.open(other), Long.MAX_VALUE / 2)) {
            byte[] content = random(100, 1);
            assertReason(Reason.NO_SPACE, () -> tier.put(digestOf(content), MemorySegment.ofArray(content)));
            assertThat(tier.list()).isEmpty();
            assertThat(tier.usage().freeBytes()).isZero();
        }
    }

    @Test
    void aFullDiskIsTypedAndLeavesNothingOfTheChunk(@TempDir Path other) throws Exception {
        // given a file system of 6 MiB that says it has room: the reserve is 0, and others write at the same time
        Path mount = Files.createDirectories(other.resolve("small"));
        Assumptions.assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", mount.toString()),
                "a file system of its own takes the right to mount");
        try (NvmeTier tier = new NvmeTier(StoreRoot.open(mount), 0)) {
            byte[] first = random(3 << 20, 1);
            byte[] second = random(4 << 20, 2);
            tier.put(digestOf(first), MemorySegment.ofArray(first));
            // when
            assertReason(
                    Reason.NO_SPACE,
                    () -> new DurableFiles(mount.resolve("tmp"), new LocalDisk())
                            .write(mount.resolve("chunks/second"), MemorySegment.ofArray(second)));
            assertReason(Reason.NO_SPACE, () -> tier.put(digestOf(second), MemorySegment.ofArray(second)));
            // then
            assertThat(mount.resolve("tmp")).isEmptyDirectory();
            assertThat(tier.list()).containsExactly(digestOf(first));
        } finally {
            run("umount", mount.toString());
        }
    }

    @Test
    void quarantinePutsAChunkOutOfReachAndKeepsIt(@TempDir Path other) throws Exception {
        try (NvmeTier tier = new NvmeTier(StoreRoot.open(other), 0)) {
            byte[] content = random(100, 1);
            tier.put(digestOf(content), MemorySegment.ofArray(content));
            // when
            tier.quarantine(digestOf(content));
            // then
            assertThat(tier.contains(digestOf(content), 100)).isFalse();
            try (Stream<Path> kept = Files.list(other.resolve("quarantine"))) {
                assertThat(kept).hasSize(1);
            }
        }
    }

    private static boolean run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).inheritIO().start();
        return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
    }
}
