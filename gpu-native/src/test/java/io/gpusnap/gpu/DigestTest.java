package io.gpusnap.gpu;

import static io.gpusnap.gpu.SimulatedMachine.importAll;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Digests that the GPU computes are those of the JDK. */
class DigestTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final int LEAF_BYTES = 4096;

    private SimulatedMachine machine;
    private GpuSnapLibrary library;

    @BeforeEach
    void givenTheSimulatedMachine() throws Exception {
        machine = SimulatedMachine.get();
        library = machine.library();
    }

    @Test
    void memoryOfAWorkloadIsDigestedWhereItIs() throws Exception {
        try (CudaServer server = CudaServer.start(machine, Map.of());
                PinnedPool pool = library.openPool(machine.newFolder("pool").resolve("pool"), 160L << 20);
                GpuTarget target = library.openTarget(server.pid(), TIMEOUT)) {
            server.answer("hello");
            target.quiesce(TIMEOUT);
            long free = machine.freeBytes();
            importAll(target);
            List<CopyItem> pieces = pieces(target, pool);

            List<DeviceDigest> digests = library.mover()
                    .digest(
                            0,
                            pieces.stream()
                                    .map(piece -> new DeviceSpan(
                                            piece.deviceAddress(), piece.host().byteSize()))
                                    .toList());

            library.mover().copy(0, Direction.DEVICE_TO_HOST, pieces);
            List<DeviceDigest> expected =
                    pieces.stream().map(piece -> digestOf(piece.host())).toList();
            assertThat(digests).isEqualTo(expected);
            assertThat(digests).extracting(DeviceDigest::zero).contains(true, false);
            target.unimport();
            assertThat(machine.freeBytes()).as("scratch memory was given back").isEqualTo(free);
            target.resume();
        }
    }

    @Test
    void copiesToTheDeviceAreDigestedThere() throws Exception {
        try (CudaServer server = CudaServer.start(machine, Map.of());
                PinnedPool pool = library.openPool(machine.newFolder("pool").resolve("pool"), 160L << 20);
                GpuTarget target = library.openTarget(server.pid(), TIMEOUT)) {
            String answer = server.answer("hello");
            target.quiesce(TIMEOUT);
            importAll(target);
            List<CopyItem> pieces = pieces(target, pool);
            library.mover().copy(0, Direction.DEVICE_TO_HOST, pieces);
            List<DeviceDigest> before =
                    pieces.stream().map(piece -> digestOf(piece.host())).toList();
            for (CopyItem piece : pieces) {
                library.mover().fillZero(0, piece.deviceAddress(), piece.host().byteSize());
            }

            assertThat(library.mover().copyAndDigest(0, pieces)).isEqualTo(before);

            target.unimport();
            target.resume();
            assertThat(server.answer("hello")).isEqualTo(answer);
        }
    }

    @Test
    void nothingHasNoDigests() throws Exception {
        assertThat(library.mover().digest(0, List.of())).isEmpty();
        assertThat(library.mover().copyAndDigest(0, List.of())).isEmpty();
    }

    @Test
    void spansThatTheGpuCouldNotReadAreRefused() {
        assertThatThrownBy(() -> new DeviceSpan(4097, 4096)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new DeviceSpan(4096, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new DeviceSpan(4096, DeviceSpan.MAX_BYTES + 1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> library.mover().digest(0, List.of(new DeviceSpan(4096, 4096))))
                .asInstanceOf(InstanceOfAssertFactories.type(GpuException.class))
                .extracting(GpuException::status)
                .isEqualTo(GpuStatus.INVALID);
    }

    private static List<CopyItem> pieces(GpuTarget target, PinnedPool pool) throws GpuException {
        List<CopyItem> pieces = new ArrayList<>();
        long at = 0;
        for (Allocation allocation : target.allocations()) {
            for (long offset = 0; offset < allocation.sizeBytes(); offset += DeviceSpan.MAX_BYTES) {
                long size = Math.min(DeviceSpan.MAX_BYTES, allocation.sizeBytes() - offset);
                pieces.add(new CopyItem(
                        allocation.localAddress() + offset, pool.memory().asSlice(at, size)));
                at += size;
            }
        }
        return pieces;
    }

    private static DeviceDigest digestOf(MemorySegment content) {
        byte[] bytes = content.toArray(JAVA_BYTE);
        MessageDigest root = sha256();
        MessageDigest leaf = sha256();
        boolean zero = true;
        for (int at = 0; at < bytes.length; at += LEAF_BYTES) {
            leaf.update(bytes, at, Math.min(LEAF_BYTES, bytes.length - at));
            root.update(leaf.digest());
        }
        for (byte value : bytes) {
            zero &= value == 0;
        }
        return new DeviceDigest(HexFormat.of().formatHex(root.digest()), zero);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
