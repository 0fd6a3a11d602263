package io.gpusnap.node.tier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.nio.file.ExtendedOpenOption;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DirectWritesTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(ints = {65536, 65537, 69631, 69632, 4 << 20})
    void aFileHasExactlyTheBytesWhateverItsLastPage(int size) throws Exception {
        // given
        MemorySegment content = aligned(size);
        Path file = folder.resolve("chunk");
        // when
        boolean written = new DirectWrites().write(file, content);
        // then
        assertThat(written).isEqualTo(hasDirectWrites());
        if (written) {
            assertThat(Files.size(file)).isEqualTo(size);
            assertThat(MemorySegment.ofArray(Files.readAllBytes(file)).mismatch(content))
                    .isEqualTo(-1);
        } else {
            assertThat(file).doesNotExist();
        }
    }

    @Test
    void whatIsSmallOrLiesAskewIsLeftToThePlainWrite() throws Exception {
        // given
        DirectWrites writes = new DirectWrites();
        Path file = folder.resolve("chunk");
        MemorySegment memory = aligned(1 << 20);
        // when, then
        assertThat(writes.write(file, memory.asSlice(0, 4096))).isFalse();
        assertThat(writes.write(file, memory.asSlice(512, 128 << 10))).isFalse();
        assertThat(writes.write(file, MemorySegment.ofArray(new byte[128 << 10])))
                .isFalse();
        assertThat(file).doesNotExist();
    }

    @Test
    void anotherFileOfThatNameIsNeverWrittenTo() throws Exception {
        // given
        Path file = Files.writeString(folder.resolve("chunk"), "another's");
        // when, then
        assertThatExceptionOfType(FileAlreadyExistsException.class)
                .isThrownBy(() -> new DirectWrites().write(file, aligned(1 << 20)));
        assertThat(file).hasContent("another's");
    }

    private boolean hasDirectWrites() throws Exception {
        try (FileChannel channel = FileChannel.open(
                folder.resolve("probe"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                ExtendedOpenOption.DIRECT)) {
            return channel.write(aligned(4096).asByteBuffer()) == 4096;
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    private static MemorySegment aligned(int size) {
        MemorySegment memory = Arena.ofAuto().allocate(size, 4096);
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return memory.copyFrom(MemorySegment.ofArray(bytes));
    }
}
