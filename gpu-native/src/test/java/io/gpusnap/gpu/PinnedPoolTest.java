package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PinnedPoolTest {

    private GpuSnapLibrary library;
    private Path file;

    @BeforeEach
    void givenTheSimulatedMachine() throws Exception {
        SimulatedMachine machine = SimulatedMachine.get();
        library = machine.library();
        file = machine.newFolder("pool").resolve("pool");
    }

    @Test
    void contentOutlivesThePool() throws Exception {
        try (PinnedPool pool = library.openPool(file, 3 * PinnedPool.SLOT_BYTES)) {
            assertThat(pool.slots()).isEqualTo(3);
            assertThat(pool.pinned()).isTrue();
            pool.slot(2).set(JAVA_LONG, 8, 42);
        }
        try (PinnedPool pool = library.openPool(file, 3 * PinnedPool.SLOT_BYTES)) {
            assertThat(pool.slot(2).get(JAVA_LONG, 8)).isEqualTo(42);
            assertThat(pool.slot(1).byteSize()).isEqualTo(PinnedPool.SLOT_BYTES);
            assertThat(pool.slot(1).get(JAVA_LONG, 8)).isZero();
        }
    }

    @Test
    void memoryOfAClosedPoolIsOutOfReach() throws Exception {
        PinnedPool pool = library.openPool(file, PinnedPool.SLOT_BYTES);
        MemorySegment slot = pool.slot(0);
        pool.close();
        pool.close();

        assertThatThrownBy(() -> slot.get(JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void slotsBeyondTheEndDoNotExist() throws Exception {
        try (PinnedPool pool = library.openPool(file, PinnedPool.SLOT_BYTES)) {
            assertThatThrownBy(() -> pool.slot(1)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void plainCopyIsMeasured() throws Exception {
        try (PinnedPool pool = library.openPool(file, 4 * PinnedPool.SLOT_BYTES)) {
            for (Direction direction : Direction.values()) {
                double rate = library.mover().measureCopy(0, pool, direction, 2 * PinnedPool.SLOT_BYTES, 2);
                assertThat(rate).as(direction.name()).isPositive();
            }
        }
    }
}
