package io.gpusnap.node.tier;

import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** Tells a full disk from other trouble: Java has no exception type for it. */
public final class DiskErrors {

    private static final List<String> OF_THIS_PROCESS =
            List.of("Too many open files", "Cannot allocate memory", "Operation not permitted", "Permission denied");

    private DiskErrors() {}

    /** @param doing a verb, as in "cannot write /path: No space left on device" */
    public static TierException typed(String doing, Path path, IOException e) {
        Reason reason = isFull(e) ? Reason.NO_SPACE : Reason.IO;
        return new TierException(reason, "cannot %s %s: %s".formatted(doing, path, text(e)), e);
    }

    /** Whether a file could not be read although this process may read it, has what it takes, and was not told to stop. */
    public static boolean isOfMedium(TierException e) {
        return e.reason() == Reason.IO
                && e.getCause() instanceof IOException cause
                && !(cause instanceof AccessDeniedException)
                && !(cause instanceof ClosedByInterruptException)
                && OF_THIS_PROCESS.stream().noneMatch(text(cause)::contains);
    }

    static boolean isFull(IOException e) {
        String text = text(e);
        return text.contains("No space left on device") || text.contains("Disk quota exceeded");
    }

    private static String text(IOException e) {
        String message = e instanceof FileSystemException f ? f.getReason() : e.getMessage();
        return Objects.requireNonNullElseGet(message, () -> e.getClass().getSimpleName());
    }
}
