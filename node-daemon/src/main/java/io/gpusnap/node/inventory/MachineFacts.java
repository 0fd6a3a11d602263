package io.gpusnap.node.inventory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What does not change while the daemon runs. */
record MachineFacts(String os, int cpuCores, long memoryBytes) {

    private static final Pattern NAME = Pattern.compile("PRETTY_NAME=\"?([^\"]+)\"?");
    private static final Pattern MEMORY = Pattern.compile("MemTotal:\\s+([0-9]+) kB.*");

    static MachineFacts read() {
        return read(Path.of("/etc/os-release"), Path.of("/proc/meminfo"));
    }

    static MachineFacts read(Path osRelease, Path meminfo) {
        return new MachineFacts(
                find(NAME, osRelease, "Linux"),
                Runtime.getRuntime().availableProcessors(),
                Long.parseLong(find(MEMORY, meminfo, "0")) << 10);
    }

    private static String find(Pattern pattern, Path file, String otherwise) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            return otherwise;
        }
        return lines.stream()
                .map(pattern::matcher)
                .filter(Matcher::matches)
                .map(match -> match.group(1))
                .findFirst()
                .orElse(otherwise);
    }
}
