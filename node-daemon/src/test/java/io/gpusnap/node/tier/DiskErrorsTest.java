package io.gpusnap.node.tier;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class DiskErrorsTest {

    private static boolean isOfMedium(IOException e) {
        return DiskErrors.isOfMedium(DiskErrors.typed("read", Path.of("/store/chunk"), e));
    }

    @Test
    void anErrorOfTheFileIsOneOfTheMedium() {
        assertThat(isOfMedium(new IOException("Input/output error"))).isTrue();
        assertThat(isOfMedium(new FileSystemException("/store/chunk", null, "Structure needs cleaning")))
                .isTrue();
    }

    @Test
    void whatThisProcessMayNotOrCannotDoIsNone() {
        assertThat(isOfMedium(new AccessDeniedException("/store/chunk"))).isFalse();
        assertThat(isOfMedium(new ClosedByInterruptException())).isFalse();
        assertThat(isOfMedium(new FileSystemException("/store/chunk", null, "Too many open files")))
                .isFalse();
        assertThat(isOfMedium(new FileSystemException("/store/chunk", null, "Operation not permitted")))
                .isFalse();
        assertThat(isOfMedium(new IOException("Cannot allocate memory"))).isFalse();
    }

    @Test
    void whatIsNoErrorOfADiskIsNone() {
        assertThat(isOfMedium(new IOException("No space left on device"))).isFalse();
        assertThat(DiskErrors.isOfMedium(new TierException(Reason.IO, "the store answers 403")))
                .isFalse();
        assertThat(DiskErrors.isOfMedium(
                        new TierException(Reason.IO, "the store answers 403", new IllegalStateException())))
                .isFalse();
        assertThat(DiskErrors.isOfMedium(new TierException(Reason.MISSING, "not there", new IOException())))
                .isFalse();
    }
}
