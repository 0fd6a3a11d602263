package io.gpusnap.node.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.gpu.MemoryFileSystem;
import io.gpusnap.node.store.Manifest.HostFile;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ImageFileTest {

    private static final int PIECE_BYTES = 1 << 20;
    private static final int PIECES = (int) (ImageFile.LEAST_MAPPED_BYTES / PIECE_BYTES);
    /** The last piece ends in the middle of a page. */
    private static final int LESS_BYTES = 1000;

    private final Arena arena = Arena.ofShared();
    private Path folder;

    @BeforeEach
    void makeFolder() throws IOException {
        folder = Files.createTempDirectory(Path.of("/dev/shm"), "gpusnap-image-file-");
    }

    @AfterEach
    void removeFolder() throws IOException {
        arena.close();
        if (Files.getFileStore(folder).name().equals("gpusnap-test")) {
            Files.deleteIfExists(folder.resolve("image"));
            MemoryFileSystem.unmount(folder);
        }
        Files.deleteIfExists(folder.resolve("image"));
        Files.delete(folder);
    }

    @Test
    void threadsThatWriteByTurnsAndBesideEachOtherMakeOneFile() throws Exception {
        // given
        byte[] content = new byte[PIECES * PIECE_BYTES + PIECE_BYTES - LESS_BYTES];
        new Random(1).nextBytes(content);
        MemorySegment memory = arena.allocate(content.length, 4096).copyFrom(MemorySegment.ofArray(content));
        ImageFile file = create(content.length, new Semaphore(2));
        // when
        List<Integer> pieces = IntStream.rangeClosed(0, PIECES).boxed().toList();
        Crew.each("test", 8, TierException.class, pieces, () -> number -> {
            long offset = (long) number * PIECE_BYTES;
            MemorySegment piece = memory.asSlice(offset, Math.min(PIECE_BYTES, memory.byteSize() - offset));
            if (!ThreadLocalRandom.current().nextBoolean() || !file.writeBeside(piece, offset)) {
                file.write(piece, offset);
            }
        });
        file.close();
        // then
        assertThat(ByteBuffer.wrap(Files.readAllBytes(folder.resolve("image")))).isEqualTo(ByteBuffer.wrap(content));
    }

    @Test
    void besideTheTurnOnlyWhatIsWrittenTakesMemory() throws Exception {
        // given
        MemoryFileSystem.mount("gpusnap-test", folder, "size=8m,mode=0700");
        MemorySegment piece = piece((byte) 3);
        ImageFile file = create(ImageFile.LEAST_MAPPED_BYTES, new Semaphore(1));
        // when
        boolean written = file.writeBeside(piece, 5 * PIECE_BYTES);
        // then
        assertThat(written).isTrue();
        assertThat(usedBytes()).isLessThan(3 * PIECE_BYTES);
        file.close();
        ByteBuffer found = ByteBuffer.allocate(PIECE_BYTES);
        try (FileChannel channel = FileChannel.open(folder.resolve("image"))) {
            channel.read(found, 5 * PIECE_BYTES);
        }
        assertThat(MemorySegment.ofBuffer(found.flip()).mismatch(piece)).isEqualTo(-1);
    }

    @Test
    void aFileSystemThatIsFullIsNoSpaceAndNoSignal() throws Exception {
        // given
        MemoryFileSystem.mount("gpusnap-test", folder, "size=2m,mode=0700");
        ImageFile file = create(ImageFile.LEAST_MAPPED_BYTES, new Semaphore(1));
        MemorySegment piece = piece((byte) 1);
        // when, then
        assertThat(file.writeBeside(piece, 0)).isTrue();
        assertThat(file.writeBeside(piece, PIECE_BYTES)).isFalse();
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> file.write(piece, PIECE_BYTES))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.NO_SPACE));
        file.close();
    }

    @Test
    void whoMayNotWriteBesideHasToWait() throws Exception {
        MemorySegment piece = piece((byte) 1);
        ImageFile small = create(ImageFile.LEAST_MAPPED_BYTES - 1, new Semaphore(1));
        assertThat(small.writeBeside(piece, 0)).isFalse();
        small.close();
        Files.delete(folder.resolve("image"));

        Semaphore beside = new Semaphore(1);
        ImageFile file = create(ImageFile.LEAST_MAPPED_BYTES, beside);
        assertThat(file.writeBeside(piece, 1)).as("in the middle of a page").isFalse();
        beside.acquire();
        assertThat(file.writeBeside(piece, 0)).as("enough others do").isFalse();
        file.close();
    }

    @Test
    void onlyInMemoryThreadsWriteBesideEachOther() throws Exception {
        assertThat(ImageFile.beside(folder).availablePermits())
                .isEqualTo(Runtime.getRuntime().availableProcessors() / 4);
        assertThat(ImageFile.beside(Path.of("/proc")).availablePermits()).isZero();
    }

    private MemorySegment piece(byte value) {
        return arena.allocate(PIECE_BYTES, 4096).fill(value);
    }

    private ImageFile create(long sizeBytes, Semaphore beside) throws TierException {
        return ImageFile.create(
                folder.resolve("image"), new HostFile("image", sizeBytes, 0600, List.of()), beside, arena);
    }

    private long usedBytes() throws IOException {
        FileStore store = Files.getFileStore(folder);
        return store.getTotalSpace() - store.getUsableSpace();
    }
}
