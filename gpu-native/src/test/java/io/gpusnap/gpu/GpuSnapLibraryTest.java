package io.gpusnap.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GpuSnapLibraryTest {

    private static final int NO_SUCH_PID = 0x3fffff;

    private SimulatedMachine machine;
    private GpuSnapLibrary library;

    @BeforeEach
    void givenTheSimulatedMachine() throws Exception {
        machine = SimulatedMachine.get();
        library = machine.library();
    }

    @Test
    void describesDriverAndGpus() throws Exception {
        DriverInfo driver = library.driver();
        List<GpuInfo> gpus = library.gpus();

        assertThat(driver.simulated()).isTrue();
        assertThat(driver.hasCheckpoint()).isTrue();
        assertThat(driver.cudaVersion()).isEqualTo(13000);
        assertThat(driver.build()).startsWith("simulated");
        assertThat(library.version()).matches("\\d+\\.\\d+\\.\\d+.*");
        assertThat(gpus)
                .hasSize(2)
                .extracting(GpuInfo::uuid)
                .doesNotHaveDuplicates()
                .allMatch(uuid -> uuid.matches("GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"));
        assertThat(gpus.getFirst()).satisfies(gpu -> {
            assertThat(gpu.name()).isEqualTo("Simulated H100");
            assertThat(gpu.memoryBytes()).isEqualTo(SimulatedMachine.VRAM_BYTES);
            assertThat(gpu.freeBytes()).isBetween(0L, SimulatedMachine.VRAM_BYTES);
            assertThat(gpu.granularityBytes()).isEqualTo(2L << 20);
            assertThat(gpu.computeCapability()).isEqualTo("9.0");
            assertThat(gpu.pciBusId()).isEqualTo("0000:01:00.0");
            assertThat(gpu.exportsPosixFd()).isTrue();
            assertThat(gpu.migEnabled()).isFalse();
        });
    }

    @Test
    void failuresAreTypedAndSayWhatHappened() {
        Path missing = Path.of("/no/such/libgpusnap.so");

        assertFails(() -> GpuSnapLibrary.open(missing, Optional.empty()), GpuStatus.IO, missing.toString());
        assertFails(() -> library.gpu(7), GpuStatus.INVALID, "");
        assertFails(() -> library.openTarget(pidOfThisProcess(), Duration.ofSeconds(1)), GpuStatus.NOT_MANAGED, "");
        assertFails(
                () -> library.openPool(machine.newFolder("pool").resolve("pool"), PinnedPool.SLOT_BYTES + 1),
                GpuStatus.INVALID,
                "");
        assertThatThrownBy(() -> library.process(NO_SUCH_PID).state())
                .isInstanceOf(GpuException.class)
                .hasMessageContaining("cuCheckpointProcessGetState");
    }

    @Test
    void openingAgainWithTheSameDriverIsTheSameLibrary() throws Exception {
        GpuSnapLibrary again = GpuSnapLibrary.open(SimulatedMachine.LIBRARY, Optional.of(SimulatedMachine.DRIVER));

        assertThat(again.gpus())
                .extracting(GpuInfo::uuid)
                .isEqualTo(library.gpus().stream().map(GpuInfo::uuid).toList());
        assertFails(
                () -> GpuSnapLibrary.open(SimulatedMachine.LIBRARY, Optional.of(Path.of("/other/libcuda.so.1"))),
                GpuStatus.STATE,
                "/other/libcuda.so.1");
    }

    @Test
    void driverRefusesVerbsInTheWrongState() throws Exception {
        ProcessCheckpoint self = library.process(pidOfThisProcess());

        assertThat(self.state()).isEqualTo(ProcessState.RUNNING);
        assertThatThrownBy(self::checkpoint).isInstanceOf(GpuException.class);
        assertThatThrownBy(() -> self.restore(Map.of("GPU-a", "GPU-b"))).isInstanceOf(GpuException.class);
        assertThatThrownBy(self::unlock).isInstanceOf(GpuException.class);
        assertThat(self.state()).isEqualTo(ProcessState.RUNNING);
    }

    @Test
    void timeoutsMustBeSensible() {
        assertThatThrownBy(() -> library.process(1).lock(Duration.ofSeconds(-1)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> library.openTarget(1, Duration.ofDays(60)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static int pidOfThisProcess() {
        return Math.toIntExact(ProcessHandle.current().pid());
    }

    private static void assertFails(ThrowingCallable call, GpuStatus status, String text) {
        assertThatThrownBy(call)
                .asInstanceOf(InstanceOfAssertFactories.type(GpuException.class))
                .satisfies(problem -> {
                    assertThat(problem.status()).isEqualTo(status);
                    assertThat(problem).hasMessageContaining(text);
                    assertThat(problem.getMessage()).isNotBlank();
                });
    }
}
