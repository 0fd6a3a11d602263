package io.gpusnap.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.Pipe;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class BuffersTest {

    private static final int SIZE_BYTES = 1 << 20;

    private final BufferPool pool = new BufferPool(8L * SIZE_BYTES);

    @Test
    void whateverWasDoneOnlyALittleIsKept() {
        for (int i = 0; i < 100; i++) {
            work(1 + i % 20);
            assertThat(pool.lentBytes()).isZero();
            assertThat(pool.idleBytes()).isLessThanOrEqualTo(8L * SIZE_BYTES);
        }
        assertThat(pool.idleBytes()).isEqualTo(8L * SIZE_BYTES);
    }

    @Test
    void whatIsKeptIsWhatTheNextOneGets() {
        long address = 0;
        for (int i = 0; i < 3; i++) {
            try (Buffers buffers = new Buffers(pool)) {
                MemorySegment memory = buffers.take(SIZE_BYTES);
                assertThat(address == 0 || address == memory.address()).isTrue();
                address = memory.address();
                assertThat(pool.idleBytes()).isZero();
            }
        }
    }

    @Test
    void largePiecesGoBackAtOnce() {
        try (Buffers buffers = new Buffers(pool)) {
            buffers.take(2L * SIZE_BYTES).fill((byte) 1);
        }
        assertThat(pool.idleBytes()).isZero();
    }

    @Test
    void bothHaveTheirOwnUntilTheyAreGivenBack() {
        Buffers first = new Buffers(pool);
        Buffers second = new Buffers(pool);
        MemorySegment one = first.take(SIZE_BYTES).fill((byte) 1);
        MemorySegment other = second.take(SIZE_BYTES - 1).fill((byte) 2);
        assertThat(one.address() % 4096).isZero();
        assertThat(other.byteSize()).isEqualTo(SIZE_BYTES);
        assertThat(one.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 1);
        // when
        first.close();
        // then
        assertThatThrownBy(() -> one.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> first.take(1)).isInstanceOf(IllegalStateException.class);
        assertThat(other.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 2);
        second.close();
        assertThat(pool.lentBytes()).isZero();
    }

    @Test
    void whatACallStillHasNobodyElseGets() throws Exception {
        // given a read that hangs
        Pipe pipe = Pipe.open();
        Buffers buffers = new Buffers(pool);
        MemorySegment held = buffers.take(SIZE_BYTES);
        AtomicBoolean read = new AtomicBoolean();
        Thread reader = Thread.ofPlatform().start(() -> {
            try {
                read.set(pipe.source().read(held.asByteBuffer()) > 0);
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        while (!inRead(reader)) {
            Thread.onSpinWait();
        }
        // when
        buffers.close();
        // then
        assertThat(pool.lentBytes()).isEqualTo(SIZE_BYTES);
        assertThat(buffers.stuckBytes()).isEqualTo(SIZE_BYTES);
        pipe.sink().write(java.nio.ByteBuffer.wrap(new byte[10]));
        reader.join();
        assertThat(read).isTrue();
        try (Buffers next = new Buffers(pool)) {
            assertThat(next.take(SIZE_BYTES).address()).isNotEqualTo(held.address());
        }
        pipe.source().close();
        pipe.sink().close();
    }

    private static boolean inRead(Thread thread) {
        for (StackTraceElement call : thread.getStackTrace()) {
            if (call.getMethodName().equals("read0")) {
                return true;
            }
        }
        return false;
    }

    private void work(int count) {
        try (Buffers buffers = new Buffers(pool)) {
            for (int i = 0; i < count; i++) {
                buffers.take(SIZE_BYTES).fill((byte) i);
            }
        }
    }
}
