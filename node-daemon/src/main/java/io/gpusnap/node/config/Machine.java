package io.gpusnap.node.config;

import java.io.IOException;
import java.net.InetAddress;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What defaults depend on.
 *
 * @param hostName lower case
 * @param programDirectory where the daemon's jar is
 */
record Machine(String hostName, long memoryBytes, int processors, Path programDirectory) {

    private static final Pattern TOTAL = Pattern.compile("MemTotal:\\s+([0-9]+) kB");

    static Machine here() {
        return new Machine(
                hostNameHere(), memoryBytesHere(), Runtime.getRuntime().availableProcessors(), programDirectoryHere());
    }

    /** Installed, the libraries are in {@code native} beside the jar; in a source tree where the build leaves them. */
    Path nativeDirectory() {
        Path beside = programDirectory.resolve("native");
        Path built =
                programDirectory.resolve("../../gpu-native/target/native/lib").normalize();
        return !Files.isDirectory(beside) && Files.isDirectory(built) ? built : beside;
    }

    private static Path programDirectoryHere() {
        try {
            Path program = Path.of(Machine.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            return program.resolveSibling("");
        } catch (URISyntaxException e) {
            return Path.of("");
        }
    }

    private static String hostNameHere() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname"))
                    .strip()
                    .toLowerCase(Locale.ROOT);
        } catch (IOException e) {
            try {
                return InetAddress.getLocalHost().getHostName().toLowerCase(Locale.ROOT);
            } catch (UnknownHostException unknown) {
                return "localhost";
            }
        }
    }

    private static long memoryBytesHere() {
        try {
            Matcher total = TOTAL.matcher(Files.readString(Path.of("/proc/meminfo")));
            return total.find()
                    ? Long.parseLong(total.group(1)) << 10
                    : Runtime.getRuntime().maxMemory();
        } catch (IOException e) {
            return Runtime.getRuntime().maxMemory();
        }
    }
}
