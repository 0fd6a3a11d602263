package io.gpusnap.node.tier;

import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Objects;

/** Tells a full disk from other trouble: Java has no exception type for it. */
public final class DiskErrors {

    private DiskErrors() {}

    /** @param doing a verb, as in "cannot write /path: No space left on device" */
    public static TierException typed(String doing, Path path, IOException e) {
        Reason reason = isFull(e) ? Reason.NO_SPACE : Reason.IO;
        return new TierException(reason, "cannot %s %s: %s".formatted(doing, path, text(e)), e);
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
