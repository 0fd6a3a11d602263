package io.gpusnap.node.tier;

import io.gpusnap.node.store.ManifestException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The digest of a manifest's text as it was written, an attribute of its file: a text that was changed since, and is a manifest all the
 * same, shows by it. Files of before decision 0410 lack it, and those on file systems that keep no such attributes.
 */
public final class ManifestSeal {

    private static final Logger LOG = LoggerFactory.getLogger(ManifestSeal.class);
    private static final String NAME = "gpusnap.manifest";
    private static final int MOST_BYTES = 256;
    private static final AtomicBoolean WARNED = new AtomicBoolean();

    private ManifestSeal() {}

    /** For a file that has just been written; without it, the text is believed as far as it can be. */
    public static void put(Path file, String digest) {
        try {
            view(file).write(NAME, StandardCharsets.US_ASCII.encode(digest));
        } catch (IOException | UnsupportedOperationException e) {
            if (WARNED.compareAndSet(false, true)) {
                LOG.warn(
                        "the file system of {} keeps no attributes, so a manifest that changes there is not noticed",
                        file,
                        e);
            }
        }
    }

    /** Empty where there is none. What keeps it from being read keeps the text from being read too, and that is told. */
    public static Optional<String> of(Path file) {
        try {
            UserDefinedFileAttributeView view = view(file);
            if (!view.list().contains(NAME)) {
                return Optional.empty();
            }
            ByteBuffer text = ByteBuffer.allocate(MOST_BYTES);
            view.read(NAME, text);
            return Optional.of(StandardCharsets.US_ASCII.decode(text.flip()).toString());
        } catch (IOException | UnsupportedOperationException e) {
            return Optional.empty();
        }
    }

    /**
     * To be asked before the text is parsed: one that was changed may be anything, also a manifest of a newer schema.
     *
     * @param digest of the text that was read from the file
     */
    public static void check(Path file, String digest) throws ManifestException {
        Optional<String> written = of(file);
        if (written.isPresent() && !written.get().equals(digest)) {
            throw new ManifestException("its digest is %s, and was %s".formatted(digest, written.get()));
        }
    }

    private static UserDefinedFileAttributeView view(Path file) {
        UserDefinedFileAttributeView view =
                Files.getFileAttributeView(file, UserDefinedFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        if (view == null) {
            throw new UnsupportedOperationException("no user-defined attributes");
        }
        return view;
    }
}
