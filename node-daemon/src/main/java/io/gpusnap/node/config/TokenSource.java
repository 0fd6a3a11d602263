package io.gpusnap.node.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Optional;
import java.util.Set;

/** The access token from its file, with a warning when others may read it. */
record TokenSource(SecretToken token, Optional<String> warning) {

    private static final Set<PosixFilePermission> OTHERS = Set.of(
            PosixFilePermission.GROUP_READ,
            PosixFilePermission.GROUP_WRITE,
            PosixFilePermission.OTHERS_READ,
            PosixFilePermission.OTHERS_WRITE);

    /** @throws IllegalArgumentException when there is no token in it; the message says what to do */
    static TokenSource read(Path file) {
        try {
            String text = Files.readString(file).strip();
            if (text.isEmpty()) {
                throw new IllegalArgumentException("the file is empty; put the service's access token into it");
            }
            return new TokenSource(check(text), permissionWarning(file));
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "the file cannot be read (" + e.getMessage() + "); name the file that holds the access token");
        }
    }

    static SecretToken check(String text) {
        if (!text.matches("[\\x21-\\x7e]+")) {
            throw new IllegalArgumentException("a token is one word of visible ASCII characters");
        }
        return new SecretToken(text);
    }

    private static Optional<String> permissionWarning(Path file) throws IOException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file, new LinkOption[0]);
        return permissions.stream().anyMatch(OTHERS::contains)
                ? Optional.of("service.tokenFile " + file + " can be read by others; run chmod 600 " + file)
                : Optional.empty();
    }
}
