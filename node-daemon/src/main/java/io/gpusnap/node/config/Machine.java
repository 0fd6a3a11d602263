package io.gpusnap.node.config;

import java.io.IOException;
import java.net.InetAddress;
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
 */
record Machine(String hostName, long memoryBytes, int processors) {

    private static final Pattern TOTAL = Pattern.compile("MemTotal:\\s+([0-9]+) kB");

    static Machine here() {
        return new Machine(
                hostNameHere(), memoryBytesHere(), Runtime.getRuntime().availableProcessors());
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
