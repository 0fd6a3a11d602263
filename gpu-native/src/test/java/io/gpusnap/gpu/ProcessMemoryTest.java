package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ProcessMemoryTest {

    private static final int NO_SUCH_PID = 0x3fffff;

    private ProcessMemory memory;

    @BeforeEach
    void givenTheLibrary() throws Exception {
        memory = SimulatedMachine.get().library().processMemory();
    }

    @Test
    void whatIsWrittenIntoAStoppedProcessIsReadFromIt() throws Exception {
        Process process = new ProcessBuilder("sleep", "600").start();
        try (Arena arena = Arena.ofConfined()) {
            int pid = Math.toIntExact(process.pid());
            new ProcessBuilder("kill", "-STOP", Integer.toString(pid)).start().waitFor();
            long stack = stack(pid);
            MemorySegment before = arena.allocate(64);
            memory.read(pid, stack, before);
            MemorySegment written = arena.allocate(64).fill((byte) 0x5a);

            memory.write(pid, stack, written);

            MemorySegment read = arena.allocate(64);
            memory.read(pid, stack, read);
            assertThat(read.mismatch(written)).isEqualTo(-1);
            assertThat(before.mismatch(written)).isNotEqualTo(-1);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void failuresAreTyped() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment local = arena.allocate(JAVA_LONG);
            int self = Math.toIntExact(ProcessHandle.current().pid());

            assertFails(() -> memory.read(NO_SUCH_PID, 4096, local), GpuStatus.PEER_GONE);
            assertFails(() -> memory.write(self, 4096, local), GpuStatus.IO);
            assertFails(() -> memory.read(-1, 4096, local), GpuStatus.INVALID);
            assertThatThrownBy(() -> memory.read(self, 4096, MemorySegment.ofArray(new byte[8])))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void nothingIsMovedAtOnce() throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment local = arena.allocate(JAVA_LONG);
            local.set(JAVA_BYTE, 0, (byte) 1);

            memory.read(Math.toIntExact(ProcessHandle.current().pid()), local.address(), local.asSlice(0, 0));

            assertThat(local.get(JAVA_BYTE, 0)).isOne();
        }
    }

    /** The lowest address of the stack's mapping: far below what is in use. */
    private static long stack(int pid) throws Exception {
        return Files.readAllLines(Path.of("/proc/" + pid + "/maps")).stream()
                .filter(line -> line.endsWith("[stack]"))
                .map(line -> Long.parseUnsignedLong(line.substring(0, line.indexOf('-')), 16))
                .findFirst()
                .orElseThrow();
    }

    private static void assertFails(ThrowingCallable call, GpuStatus status) {
        assertThatThrownBy(call)
                .asInstanceOf(InstanceOfAssertFactories.type(GpuException.class))
                .extracting(GpuException::status)
                .isEqualTo(status);
    }
}
