package io.gpusnap.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappedPagesTest {

    private static final int PAGE_BYTES = 4096;

    @TempDir
    Path folder;

    @Test
    void whatIsWrittenToPagesThatWereMadeIsInTheFile() throws Exception {
        // given
        Path file = folder.resolve("file");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mapped = map(file, 10 * PAGE_BYTES + 1, arena);
            // when
            MemorySegment last = mapped.asSlice(9 * PAGE_BYTES);
            assertThat(MappedPages.make(last)).isTrue();
            last.fill((byte) 7);
            MappedPages.letGo(last);
            // then
            assertThat(mapped.get(ValueLayout.JAVA_BYTE, 9 * PAGE_BYTES)).isEqualTo((byte) 7);
            assertThat(Files.readAllBytes(file)).endsWith(7, 7).startsWith(0, 0).hasSize(10 * PAGE_BYTES + 1);
        }
    }

    @Test
    void whatLiesBehindTheEndOfTheFileIsToldAndIsNoSignal() throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mapped = map(folder.resolve("file"), 4 * PAGE_BYTES, arena);
            try (FileChannel shorter = FileChannel.open(folder.resolve("file"), StandardOpenOption.WRITE)) {
                shorter.truncate(PAGE_BYTES);
            }
            assertThat(MappedPages.make(mapped)).isFalse();
        }
    }

    @Test
    void reservedMemoryIsZeroAndWritable() {
        MemorySegment memory = MappedPages.reserve(3 * PAGE_BYTES);
        assertThat(memory.byteSize()).isEqualTo(3 * PAGE_BYTES);
        assertThat(memory.toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
        memory.fill((byte) 1);
        MappedPages.release(memory);
        assertThatThrownBy(() -> MappedPages.release(memory.asSlice(1))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> MappedPages.reserve(1L << 60)).isInstanceOf(OutOfMemoryError.class);
    }

    @Test
    void noMappingIsToldAsWell() {
        MemorySegment nowhere = MemorySegment.ofAddress(PAGE_BYTES).reinterpret(PAGE_BYTES);
        assertThat(MappedPages.make(nowhere)).isFalse();
        assertThatThrownBy(() -> MappedPages.letGo(nowhere)).isInstanceOf(IllegalArgumentException.class);
    }

    private static MemorySegment map(Path file, long sizeBytes, Arena arena) throws Exception {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, sizeBytes, arena);
        }
    }
}
