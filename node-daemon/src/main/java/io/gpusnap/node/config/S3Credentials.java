package io.gpusnap.node.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Never shown: its text form has the id only. */
public record S3Credentials(String accessKeyId, SecretToken secretAccessKey, Optional<SecretToken> sessionToken) {

    private static final Set<String> KEYS = Set.of("accessKeyId", "secretAccessKey", "sessionToken");

    /** @throws IllegalArgumentException when they are not in the file; the message says what to do, and no secret */
    static S3Credentials read(Path file) {
        Map<String, String> values = new HashMap<>();
        try {
            for (String line : Files.readAllLines(file)) {
                int equals = line.indexOf('=');
                if (line.isBlank() || line.stripLeading().startsWith("#")) {
                    continue;
                }
                String key = equals < 1 ? "" : line.substring(0, equals).strip();
                if (!KEYS.contains(key)) {
                    throw new IllegalArgumentException(
                            "the file has a line that is none of accessKeyId = …, secretAccessKey = …, sessionToken = …");
                }
                values.put(key, line.substring(equals + 1).strip());
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "the file cannot be read (" + e.getMessage() + "); name the file that holds the credentials");
        }
        String id = values.get("accessKeyId");
        String secret = values.get("secretAccessKey");
        if (id == null || secret == null) {
            throw new IllegalArgumentException("the file lacks accessKeyId or secretAccessKey");
        }
        return new S3Credentials(
                id,
                TokenSource.check(secret),
                Optional.ofNullable(values.get("sessionToken")).map(TokenSource::check));
    }

    @Override
    public String toString() {
        return "credentials of " + accessKeyId;
    }
}
