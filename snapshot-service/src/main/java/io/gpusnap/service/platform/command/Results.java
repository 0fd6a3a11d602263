package io.gpusnap.service.platform.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Where results of commands go. */
public final class Results {
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private Results() {}

    /** What it ran on and of which source, for whoever reads the result later. The scripts that start it say the latter. */
    public static Map<String, String> machine() throws IOException {
        Map<String, String> machine = new LinkedHashMap<>();
        machine.put("cpu", processor().orElse("unknown"));
        machine.put("cores", String.valueOf(Runtime.getRuntime().availableProcessors()));
        machine.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        machine.put("java", System.getProperty("java.vm.version"));
        machine.put("revision", System.getenv().getOrDefault("GPUSNAP_REVISION", "unknown"));
        return machine;
    }

    private static Optional<String> processor() throws IOException {
        Path info = Path.of("/proc/cpuinfo");
        if (!Files.isReadable(info)) {
            return Optional.empty();
        }
        try (Stream<String> lines = Files.lines(info)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip());
        }
    }

    public static void json(Path file, Object result) throws IOException {
        text(file, JSON.writeValueAsString(result) + "\n");
    }

    public static void text(Path file, String text) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        Files.writeString(file, text);
    }

    /**
     * Replaces what a document has between {@code <!-- name: begin -->} and {@code <!-- name: end -->}.
     *
     * @throws IllegalArgumentException if the document has no such marks
     */
    public static void replace(Path document, String name, String text) throws IOException {
        String begin = "<!-- " + name + ": begin -->\n";
        String end = "<!-- " + name + ": end -->";
        String whole = Files.readString(document);
        int from = whole.indexOf(begin);
        int to = whole.indexOf(end);
        if (from < 0 || to < from) {
            throw new IllegalArgumentException(document + " has no lines " + begin.strip() + " and " + end);
        }
        Files.writeString(document, whole.substring(0, from + begin.length()) + text + whole.substring(to));
    }
}
