package io.gpusnap.node.cli;

import io.gpusnap.node.client.Inventory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Asks the daemon of this node what it can do. */
final class RunningDaemon {

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private RunningDaemon() {}

    /** Empty when nobody answers there, or not like a daemon. */
    static Optional<List<Inventory.Capability>> capabilities(InetSocketAddress metrics) {
        URI uri = URI.create("http://" + host(metrics) + ":" + metrics.getPort() + DaemonPages.CAPABILITIES);
        try (HttpClient client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build()) {
            HttpResponse<String> response = client.send(
                    HttpRequest.newBuilder(uri).timeout(TIMEOUT).build(), HttpResponse.BodyHandlers.ofString());
            return response.statusCode() == 200
                    ? Optional.of(List.of(JsonMapper.shared().readValue(response.body(), Inventory.Capability[].class)))
                    : Optional.empty();
        } catch (IOException | JacksonException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    private static String host(InetSocketAddress address) {
        String text = address.getAddress().isAnyLocalAddress() ? "127.0.0.1" : address.getHostString();
        return text.contains(":") ? "[" + text + "]" : text;
    }
}
