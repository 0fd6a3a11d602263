package io.gpusnap.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.UUID;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** A node daemon as far as the service sees one. */
final class Daemon {
    static final String INVENTORY = resource("inventory.json");
    private static final String MANIFEST = resource("manifest.json");

    private final Http session;
    private final String id;

    private Daemon(Http session, String id) {
        this.session = session;
        this.id = id;
    }

    static Daemon register(Http service, String name) throws IOException, InterruptedException {
        ObjectNode request = Http.JSON.createObjectNode();
        request.put("name", name)
                .put("instanceId", UUID.randomUUID().toString())
                .put("agentVersion", "bench")
                .set("inventory", Http.JSON.readTree(INVENTORY));
        JsonNode reply = service.post("/node/v1/nodes", request.toString(), 201);
        return new Daemon(
                service.as(reply.path("sessionToken").asString()),
                reply.path("nodeId").asString());
    }

    String id() {
        return id;
    }

    /** The same daemon, which now calls another instance. */
    Daemon at(Http service) {
        return new Daemon(service.as(session.token()), id);
    }

    void heartbeat(String workloads) throws IOException, InterruptedException {
        session.post(
                "/node/v1/nodes/" + id + "/heartbeats",
                "{\"inventory\":" + INVENTORY + ",\"workloads\":" + workloads + ",\"runningOperations\":[]}",
                200);
    }

    /** Waits for work; missing when there was none. */
    JsonNode claim(int waitSeconds) throws IOException, InterruptedException {
        HttpResponse<String> response = session.post("/node/v1/nodes/" + id + "/claims?waitSeconds=" + waitSeconds, "");
        return response.statusCode() == 200 ? Http.JSON.readTree(response.body()) : Http.JSON.missingNode();
    }

    /** Ends a SAVE with a manifest of one chunk. */
    void saved(JsonNode task) throws IOException, InterruptedException {
        String manifest =
                MANIFEST.replace("SNAPSHOT", task.at("/save/snapshotId").asString());
        ObjectNode save = Http.JSON.createObjectNode();
        save.put("manifest", manifest).put("manifestDigest", sha256(manifest));
        save.set("totals", Http.JSON.readTree(manifest).path("totals"));
        save.put("pauseSeconds", 1.0).put("workloadAlive", false).put("movedBytes", 4194304);
        ObjectNode body = Http.JSON.createObjectNode();
        body.put("epoch", task.path("epoch").asLong()).put("outcome", "SUCCEEDED");
        body.putArray("stages");
        body.set("save", save);
        session.post(
                "/node/v1/operations/" + task.path("operationId").asString() + "/completion", body.toString(), 204);
    }

    /** Ends a VERIFY. */
    void done(JsonNode task) throws IOException, InterruptedException {
        session.post(
                "/node/v1/operations/" + task.path("operationId").asString() + "/completion",
                "{\"epoch\":" + task.path("epoch").asLong() + ",\"outcome\":\"SUCCEEDED\",\"stages\":[]}",
                204);
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static String resource(String name) {
        try (InputStream in = Daemon.class.getResourceAsStream("/" + name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is missing in the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
