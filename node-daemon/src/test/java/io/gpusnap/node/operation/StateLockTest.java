package io.gpusnap.node.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateLockTest {

    @TempDir
    Path folder;

    @Test
    void aSecondHolderIsToldWhoHasIt() throws Exception {
        try (StateLock first = StateLock.acquire(folder)) {
            assertThat(first).isNotNull();
            assertThatThrownBy(() -> StateLock.acquire(folder))
                    .isInstanceOfSatisfying(
                            StateLock.HeldException.class,
                            held -> assertThat(held.pid())
                                    .isEqualTo(ProcessHandle.current().pid()));
        }
        StateLock.acquire(folder).close();
    }
}
