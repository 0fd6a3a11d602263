package io.gpusnap.bench.store;

import com.sun.management.OperatingSystemMXBean;
import io.gpusnap.node.store.SnapshotId;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Lives as long as a daemon does and answers one line of JSON for each that it reads. A failure is answered with {@code error},
 * and ends nothing.
 */
public final class Main {

    private static final JsonMapper JSON = new JsonMapper();

    private static final double NANOS = 1e9;

    private final Node node;
    private final Images images;
    private final Copies copies;

    private Main(Node node) {
        this.node = node;
        this.images = new Images(node);
        this.copies = new Copies(node);
    }

    /** Arguments are those of {@link Settings}. */
    public static void main(String[] arguments) throws Exception {
        try (Node node = new Node(Settings.parse(arguments));
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            Main main = new Main(node);
            System.out.println("{\"ready\":true}");
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                System.out.println(JSON.writeValueAsString(main.answer(JSON.readTree(line))));
            }
        }
    }

    private Map<String, Object> answer(JsonNode request) throws IOException {
        Timer timer = new Timer();
        long cpuNanos = cpuNanos();
        Map<String, Object> answer = new LinkedHashMap<>();
        try {
            answer.putAll(done(request));
        } catch (Exception e) {
            e.printStackTrace();
            answer.put("error", String.valueOf(e));
        }
        answer.put("seconds", timer.lap());
        answer.put("cpuSeconds", (cpuNanos() - cpuNanos) / NANOS);
        return answer;
    }

    /** Of the whole process, garbage collection and compilation included. */
    private static long cpuNanos() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    private Map<String, Object> done(JsonNode request) throws Exception {
        return switch (request.path("do").asString()) {
            case "save" -> images.save(path(request));
            case "restore" -> images.restore(snapshot(request), path(request));
            case "delete" -> images.delete(snapshot(request));
            case "push" -> copies.push(snapshot(request));
            case "pull" -> copies.pull(snapshot(request));
            case "pullByParts" -> copies.pullByParts(snapshot(request));
            case "weights" -> Weights.write(path(request), number(request, "bytes"), number(request, "seed"));
            case "change" ->
                Weights.change(
                        path(request),
                        request.path("ratio").asDouble(),
                        (int) number(request, "regions"),
                        number(request, "seed"));
            case "rewrite" -> Rewriting.of(node.store(), Runtime.getRuntime().availableProcessors());
            case "ceilings" -> Ceilings.measure();
            default -> throw new IllegalArgumentException("unknown: " + request);
        };
    }

    private static SnapshotId snapshot(JsonNode request) {
        return SnapshotId.parse(request.path("snapshot").asString());
    }

    private static long number(JsonNode request, String name) {
        return request.path(name).asLong();
    }

    private static Path path(JsonNode request) {
        return Path.of(request.path("path").asString());
    }
}
