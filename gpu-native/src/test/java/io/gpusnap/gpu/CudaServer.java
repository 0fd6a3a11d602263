package io.gpusnap.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** samples/cuda-server under the preload, on the simulated machine. */
final class CudaServer implements AutoCloseable {

    private static final Pattern PORT = Pattern.compile("listens on 127\\.0\\.0\\.1:(\\d+)");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Process process;
    private final int port;
    private final HttpClient http = HttpClient.newHttpClient();

    private CudaServer(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    static CudaServer start(SimulatedMachine machine, Map<String, String> environment) throws Exception {
        Path folder = machine.newFolder("server");
        ProcessBuilder builder = new ProcessBuilder(List.of(
                SimulatedMachine.CUDA_SERVER.toString(),
                "--port",
                "0",
                "--weights-mib",
                "40",
                "--kv-mib",
                "16",
                "--warmup-seconds",
                "0.05",
                "--workdir",
                folder.toString(),
                "--log-file",
                "log",
                "--driver",
                SimulatedMachine.DRIVER.toString()));
        builder.environment().put("LD_PRELOAD", SimulatedMachine.PRELOAD.toString());
        builder.environment().put("GPUSNAP_WORKLOAD", "cuda-server");
        builder.environment()
                .put("GPUSNAP_SOCKET_DIR", folder.resolve("sockets").toString());
        builder.environment().put("GPUSNAP_SIM_STATE_DIR", machine.stateDir().toString());
        builder.environment().put("GPUSNAP_SIM_VRAM_BYTES", Long.toString(SimulatedMachine.VRAM_BYTES));
        builder.environment().put("GPUSNAP_SIM_GPUS", "2");
        builder.environment().putAll(environment);
        Process process = builder.start();
        Path log = folder.resolve("log");
        await().atMost(PATIENCE).until(() -> !process.isAlive() || port(log) > 0);
        assertThat(process.isAlive()).as("log: %s", read(log)).isTrue();
        CudaServer server = new CudaServer(process, port(log));
        await().atMost(PATIENCE).until(() -> server.get("/ready").statusCode() == 200);
        return server;
    }

    int pid() {
        return Math.toIntExact(process.pid());
    }

    Process process() {
        return process;
    }

    /** The 32 hex digits that depend on everything. */
    String answer(String prompt) throws IOException, InterruptedException {
        HttpResponse<String> response = get("/answer?prompt=" + prompt);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return digits(response.body());
    }

    CompletableFuture<String> answerLater(String prompt) {
        return http.sendAsync(request("/answer?prompt=" + prompt), HttpResponse.BodyHandlers.ofString())
                .thenApply(response -> digits(response.body()));
    }

    private HttpResponse<String> get(String target) throws IOException, InterruptedException {
        return http.send(request(target), HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest request(String target) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + target))
                .timeout(PATIENCE)
                .build();
    }

    private static String digits(String body) {
        Matcher matcher = Pattern.compile("\"answer\":\"([0-9a-f]{32})\"").matcher(body);
        assertThat(matcher.find()).as(body).isTrue();
        return matcher.group(1);
    }

    private static int port(Path log) throws IOException {
        Matcher matcher = PORT.matcher(read(log));
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
    }

    private static String read(Path log) throws IOException {
        return Files.exists(log) ? Files.readString(log) : "";
    }

    @Override
    public void close() throws InterruptedException {
        http.close();
        process.destroyForcibly().waitFor();
    }
}
