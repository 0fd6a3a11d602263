package io.gpusnap.service.security;

import io.gpusnap.service.platform.config.BadConfigurationException;
import io.gpusnap.service.platform.config.SecretFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.regex.Pattern;

/** The operator's token: made at the first start, kept in a file that only its owner reads, shown that one time. */
final class AccessToken {
    private static final String PROPERTY = "gpusnap.security.access-token-file";
    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9._~+/=-]{32,200}");

    private final Path file;
    private final String value;
    private final boolean fresh;

    private AccessToken(Path file, String value, boolean fresh) {
        this.file = file;
        this.value = value;
        this.fresh = fresh;
    }

    static AccessToken in(Path file) {
        try {
            if (!Files.exists(file)) {
                String value = SecretFiles.newSecret();
                SecretFiles.write(file, value);
                return new AccessToken(file, value, true);
            }
            if (SecretFiles.isExposed(file)) {
                throw new BadConfigurationException(
                        PROPERTY, file + " can be read by others; run chmod 600 on it, or delete it for a new token");
            }
            String value = SecretFiles.read(file);
            if (!FORM.matcher(value).matches()) {
                throw new BadConfigurationException(
                        PROPERTY, file + " holds no token of 32 to 200 characters; delete it for a new one");
            }
            return new AccessToken(file, value, false);
        } catch (IOException e) {
            throw new BadConfigurationException(PROPERTY, "cannot read or write " + file + ": " + e);
        }
    }

    /** Takes the same time however much of the candidate is right. */
    boolean matches(String candidate) {
        return MessageDigest.isEqual(
                value.getBytes(StandardCharsets.UTF_8), candidate.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * What the start prints: the token itself the first time and to a person, otherwise only where it is.
     *
     * @param terminal whether a person reads it; a file or a journal would keep it for others
     */
    String announcement(boolean terminal) {
        return fresh && terminal ? "Access token: " + value : "Access token: in " + file;
    }

    @Override
    public String toString() {
        return "AccessToken[" + file + "]";
    }
}
