package io.gpusnap.service.testing;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** A real Prometheus that scrapes a service every second. */
public final class PrometheusServer implements AutoCloseable {
    private static final String PROGRAM = System.getenv().getOrDefault("GPUSNAP_PROMETHEUS", "prometheus");
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final Process process;
    private final String base;

    private PrometheusServer(Process process, String base) {
        this.process = process;
        this.base = base;
    }

    /** @param rules a file of alert rules, which it evaluates every second */
    public static PrometheusServer scraping(Api service, Path rules, Path folder) throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        Path configuration = folder.resolve("prometheus.yml");
        Files.writeString(configuration, """
                global:
                  scrape_interval: 1s
                  evaluation_interval: 1s
                rule_files: ["%s"]
                scrape_configs:
                  - job_name: gpusnap
                    metrics_path: /actuator/prometheus
                    authorization:
                      credentials: "%s"
                    static_configs:
                      - targets: ["%s"]
                """.formatted(
                        rules.toAbsolutePath(),
                        service.token(),
                        URI.create(service.base()).getAuthority()));
        Process process = new ProcessBuilder(List.of(
                        PROGRAM,
                        "--config.file=" + configuration,
                        "--storage.tsdb.path=" + folder.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + port))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile())
                .start();
        return new PrometheusServer(process, "http://127.0.0.1:" + port);
    }

    /** The whole answer; a problem of the query is in its {@code error}. */
    public JsonNode query(String expression) throws IOException, InterruptedException {
        return get("/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8));
    }

    /** The alert rules of a group, each with {@code query}, {@code health} and {@code lastError}. */
    public List<JsonNode> rules(String group) throws IOException, InterruptedException {
        return get("/api/v1/rules")
                .at("/data/groups")
                .valueStream()
                .filter(one -> one.path("name").asString().equals(group))
                .flatMap(one -> one.path("rules").valueStream())
                .toList();
    }

    /** Names of all metrics that it has seen. */
    public List<String> names() throws IOException, InterruptedException {
        return get("/api/v1/label/__name__/values")
                .path("data")
                .valueStream()
                .map(JsonNode::asString)
                .toList();
    }

    private JsonNode get(String path) throws IOException, InterruptedException {
        return Api.JSON.readTree(
                HTTP.send(HttpRequest.newBuilder(URI.create(base + path)).build(), HttpResponse.BodyHandlers.ofString())
                        .body());
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        process.waitFor();
    }
}
