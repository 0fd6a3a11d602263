package io.gpusnap.node.criu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** CRIU's log file: whether it says that all went well, and if not, why. */
final class CriuLog {

    private static final int ERRORS = 3;
    private static final int TAIL = 3;

    private final Path file;

    CriuLog(Path file) {
        this.file = file;
    }

    boolean says(String sentence) {
        return lines().stream().anyMatch(line -> line.endsWith(sentence));
    }

    /** The first error lines: the cause is there, the last ones only say that CRIU gave up. */
    String firstErrors() {
        List<String> lines = lines();
        List<String> errors = lines.stream()
                .filter(line -> line.contains("Error ("))
                // Said by every CRIU without CAP_SYS_RESOURCE, and of no consequence.
                .filter(line -> !line.contains("RLIMIT_NOFILE"))
                // Said by every CRIU in a container that has no /dev/net/tun.
                .filter(line -> !line.contains("Unable to create tun"))
                .limit(ERRORS)
                .toList();
        List<String> quoted = errors.isEmpty() ? lines.subList(Math.max(0, lines.size() - TAIL), lines.size()) : errors;
        return quoted.isEmpty() ? "its log is empty" : String.join("; ", quoted);
    }

    private List<String> lines() {
        try (Stream<String> lines = Files.lines(file, StandardCharsets.ISO_8859_1)) {
            return lines.toList();
        } catch (IOException e) {
            return List.of();
        }
    }
}
