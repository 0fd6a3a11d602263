package io.gpusnap.node.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest.HostFile;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostImageTest {

    private static final UUID OWNER = new UUID(1, 1);

    @TempDir
    Path folder;

    private final LongAdder progress = new LongAdder();
    private final Transfer transfer = new Transfer(3, progress::add, () -> {});
    private NvmeTier nvme;
    private SnapshotStore store;

    @BeforeEach
    void open() throws Exception {
        StoreRoot root = StoreRoot.open(folder.resolve("store"));
        nvme = new NvmeTier(root, 0);
        store = new SnapshotStore(
                root,
                nvme,
                MemoryTier.open(folder.resolve("pool"), Arena.ofAuto().allocate(3L * Slot.BYTES, 4096)));
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void filesComeBackByteByByteWithTheirModes() throws Exception {
        // given
        List<Path> files =
                List.of(file("pages-1.img", 9_000_001, 1), file("core-1.img", 500, 2), file("empty.img", 0, 3));
        Files.write(files.get(0), new byte[5 << 20], StandardOpenOption.APPEND);
        Files.setAttribute(files.get(1), "unix:mode", 0600);
        List<HostFile> described = HostImageWriter.store(files, store.pins(), transfer);
        assertThat(progress.sum()).isEqualTo(9_000_001L + 500 + (5 << 20));
        // when
        Path again = Files.createDirectories(folder.resolve("again"));
        HostImageReader.materialise(described, again, ChunkSources.only(nvme), transfer);
        // then
        for (Path file : files) {
            Path copy = again.resolve(file.getFileName());
            assertThat(Files.mismatch(file, copy)).isEqualTo(-1);
            assertThat(Files.getPosixFilePermissions(copy)).isEqualTo(Files.getPosixFilePermissions(file));
        }
    }

    @Test
    void aChangedChunkStopsTheReaderAndGoesToQuarantine() throws Exception {
        // given
        List<HostFile> described = HostImageWriter.store(List.of(file("a.img", 3 << 20, 1)), store.pins(), transfer);
        ChunkDigest victim = described.getFirst().chunks().getFirst().content().orElseThrow();
        spoil(victim);
        // when, then
        Path again = Files.createDirectories(folder.resolve("again"));
        assertReason(
                Reason.CORRUPT, () -> HostImageReader.materialise(described, again, ChunkSources.only(nvme), transfer));
        assertReason(
                Reason.MISSING, () -> ChunkVerifier.verify(described.getFirst().chunks(), nvme, transfer));
    }

    @Test
    void deviceChunksAreAllVerifiedAndThoseThatFitAreLoaded() throws Exception {
        // given 5 chunks and 3 slots
        SavePins pins = store.pins();
        List<ChunkRef> chunks = HostImageWriter.store(
                        List.of(
                                file("a.img", 100, 1),
                                file("b.img", 200, 2),
                                file("c.img", 300, 3),
                                file("d.img", 400, 4),
                                file("e.img", 500, 5)),
                        pins,
                        transfer)
                .stream()
                .flatMap(file -> file.chunks().stream())
                .toList();
        ChunkLoader loader = new ChunkLoader(ChunkSources.only(nvme), store.memory(), OWNER);
        // when
        LoadedChunks loaded = new LoadedChunks();
        loader.load(chunks, loaded, transfer);
        // then
        assertThat(chunks.stream()
                        .filter(chunk ->
                                loaded.find(chunk.content().orElseThrow()).isPresent()))
                .hasSize(3);
        assertThat(store.memory().claimable()).isZero();
        loaded.close();
        assertThat(store.memory().claimable()).isEqualTo(3);

        // when one that is not in memory is spoilt
        ChunkRef cold = chunks.stream()
                .filter(chunk -> !store.memory().list().contains(chunk.content().orElseThrow()))
                .findFirst()
                .orElseThrow();
        spoil(cold.content().orElseThrow());
        // then no slot is kept that nobody knows of
        LoadedChunks part = new LoadedChunks();
        assertReason(Reason.CORRUPT, () -> loader.load(chunks, part, transfer));
        part.close();
        assertThat(store.memory().claimable()).isEqualTo(3);
    }

    private void spoil(ChunkDigest digest) throws Exception {
        Path file = folder.resolve("store/chunks/" + digest.hex().substring(0, 2) + "/" + digest.hex());
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
    }

    private Path file(String name, int size, long seed) throws Exception {
        byte[] content = new byte[size];
        new Random(seed).nextBytes(content);
        return Files.write(folder.resolve(name), content);
    }

    private static void assertReason(Reason reason, ThrowingCallable call) {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.reason()).isEqualTo(reason));
    }
}
