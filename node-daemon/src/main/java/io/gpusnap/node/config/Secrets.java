package io.gpusnap.node.config;

import java.io.IOException;
import java.nio.file.Files;

/** Secrets that a setting names, as a file's path or as {@code env:NAME}. */
public final class Secrets {

    private static final String ENVIRONMENT = "env:";

    private Secrets() {}

    /**
     * What is there now.
     *
     * @throws IOException when it cannot be read, or nothing is there; the message names the place
     */
    public static String read(String source) throws IOException {
        if (source.startsWith(ENVIRONMENT)) {
            String value = System.getenv(source.substring(ENVIRONMENT.length()));
            if (value == null || value.isBlank()) {
                throw new IOException("the environment has no such variable");
            }
            return value;
        }
        return Files.readString(SettingsReader.absolute(source));
    }
}
