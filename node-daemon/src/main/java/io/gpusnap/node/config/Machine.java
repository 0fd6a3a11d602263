package io.gpusnap.node.config;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * What defaults depend on.
 *
 * @param hostName lower case
 * @param memoryBytes that this process may have
 * @param programDirectory where the daemon's jar is
 */
record Machine(String hostName, long memoryBytes, int processors, Path programDirectory) {

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

    /** The limit of the control group where there is one below the machine's memory: the pool counts towards it. */
    private static long memoryBytesHere() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    }
}
