package io.gpusnap.gpu;

import static io.gpusnap.gpu.SimulatedMachine.importAll;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files go to device memory through the stand-in of cuFile. */
class StorageTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final Path CUFILE = SimulatedMachine.DRIVER.resolveSibling("libcufile.so.0");

    @TempDir
    private Path folder;

    private SimulatedMachine machine;
    private Storage storage;

    @BeforeEach
    void givenTheSimulatedMachine() throws Exception {
        machine = SimulatedMachine.get();
        storage = machine.library().storage();
    }

    @Test
    void whatIsNotThereIsNoErrorButAReason() throws Exception {
        StorageInfo info = storage.query(false, Optional.of(CUFILE), Optional.empty());

        assertThat(info.available()).isFalse();
        assertThat(info.direct()).isFalse();
        assertThat(info.reason()).isEqualTo("the nvidia-fs kernel module is not loaded");
    }

    @Test
    void aFileIsReadToTheDeviceAndDigestedThere() throws Exception {
        StorageInfo info = storage.query(true, Optional.of(CUFILE), Optional.of(folder));
        assertThat(info.available()).as(info.reason()).isTrue();
        assertThat(info.reason()).startsWith("compatibility mode");
        byte[] content = new byte[(1 << 20) + 77];
        new Random(7).nextBytes(content);
        Path file = Files.write(folder.resolve("file"), content);
        try (CudaServer server = CudaServer.start(machine, Map.of());
                PinnedPool pool =
                        machine.library().openPool(machine.newFolder("pool").resolve("pool"), 8L << 20);
                GpuTarget target = machine.library().openTarget(server.pid(), TIMEOUT)) {
            server.answer("hello");
            target.quiesce(TIMEOUT);
            importAll(target);
            long address = target.allocations().getFirst().localAddress();
            CopyItem before = new CopyItem(address, pool.slot(0));
            machine.library().mover().copy(0, Direction.DEVICE_TO_HOST, List.of(before));

            List<DeviceDigest> digests = storage.read(0, List.of(new FileItem(file, 0, address, content.length)));

            CopyItem after = new CopyItem(address, pool.slot(1).asSlice(0, content.length));
            machine.library().mover().copy(0, Direction.DEVICE_TO_HOST, List.of(after));
            assertThat(after.host().toArray(JAVA_BYTE)).isEqualTo(content);
            assertThat(digests)
                    .isEqualTo(machine.library().mover().digest(0, List.of(new DeviceSpan(address, content.length))));
            machine.library().mover().copy(0, Direction.HOST_TO_DEVICE, List.of(before));
            target.unimport();
            target.resume();
        }
    }

    @Test
    void failuresAreTyped() throws Exception {
        storage.query(true, Optional.of(CUFILE), Optional.empty());

        assertThatThrownBy(() ->
                        storage.query(true, Optional.of(Path.of("/nonexistent/libcufile.so.0")), Optional.empty()))
                .asInstanceOf(InstanceOfAssertFactories.type(GpuException.class))
                .extracting(GpuException::status)
                .isEqualTo(GpuStatus.STATE);
        assertThatThrownBy(() -> storage.read(0, List.of(new FileItem(folder.resolve("none"), 0, 4096, 1))))
                .asInstanceOf(InstanceOfAssertFactories.type(GpuException.class))
                .extracting(GpuException::status)
                .isEqualTo(GpuStatus.INVALID);
        assertThatThrownBy(() -> new FileItem(folder, -1, 4096, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThat(storage.read(0, List.of())).isEmpty();
    }
}
