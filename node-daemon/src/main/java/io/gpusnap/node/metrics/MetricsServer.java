package io.gpusnap.node.metrics;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.gpusnap.node.http.RequestThreads;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A handful of read-only pages over HTTP. Only GET and HEAD, only the paths it was given. */
public final class MetricsServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(MetricsServer.class);
    /** Of one request. */
    private static final Duration LIMIT = Duration.ofSeconds(30);

    /** What a path answers. */
    public record Page(int status, String type, String body) {

        public static Page text(int status, String body) {
            return new Page(status, "text/plain; charset=utf-8", body);
        }

        public static Page prometheus(String body) {
            return new Page(200, "text/plain; version=0.0.4; charset=utf-8", body);
        }

        public static Page json(String body) {
            return new Page(200, "application/json", body);
        }
    }

    private final HttpServer server;
    private final RequestThreads threads;

    private MetricsServer(HttpServer server, RequestThreads threads) {
        this.server = server;
        this.threads = threads;
    }

    /**
     * @param pages by path
     * @throws IOException when the address is taken or is not this machine's
     */
    public static MetricsServer start(InetSocketAddress listen, Map<String, Supplier<Page>> pages) throws IOException {
        RequestThreads threads = new RequestThreads(LIMIT);
        HttpServer server = HttpServer.create(listen, 16);
        server.setExecutor(threads);
        server.createContext("/", exchange -> answer(exchange, pages));
        server.start();
        return new MetricsServer(server, threads);
    }

    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.close();
    }

    private static void answer(HttpExchange exchange, Map<String, Supplier<Page>> pages) throws IOException {
        try (exchange) {
            String method = exchange.getRequestMethod();
            if (!method.equals("GET") && !method.equals("HEAD")) {
                exchange.getResponseHeaders().set("Allow", "GET, HEAD");
                exchange.sendResponseHeaders(405, -1);
                return;
            }
            Page page = page(exchange.getRequestURI().getPath(), pages);
            byte[] body = page.body().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", page.type());
            if (method.equals("HEAD")) {
                exchange.sendResponseHeaders(page.status(), -1);
            } else {
                exchange.sendResponseHeaders(page.status(), body.length);
                exchange.getResponseBody().write(body);
            }
        }
    }

    private static Page page(String path, Map<String, Supplier<Page>> pages) {
        Supplier<Page> found = pages.get(path);
        if (found == null) {
            return Page.text(404, "not found\n");
        }
        try {
            return found.get();
        } catch (RuntimeException e) {
            LOG.error("cannot answer {}", path, e);
            return Page.text(500, "see the log\n");
        }
    }
}
