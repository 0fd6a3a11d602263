package io.gpusnap.demo;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/** Follows an operation resource to its end and prints each stage once, as it finishes. */
final class OperationWatch {

    private static final long POLL_MILLIS = 100;
    private static final Set<String> ENDED = Set.of("SUCCEEDED", "FAILED", "SKIPPED", "COMPENSATED");

    private final ControlPlane api;
    private final Terminal terminal;

    OperationWatch(ControlPlane api, Terminal terminal) {
        this.api = api;
        this.terminal = terminal;
    }

    /**
     * @return the operation, succeeded
     * @throws DemoFailure with the operation's typed failure, or after the time
     */
    JsonNode await(String operationId, int seconds) {
        Set<String> printed = new LinkedHashSet<>();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (true) {
            JsonNode operation = api.get("/operations/" + operationId);
            String state = operation.path("state").asString();
            show(operation, printed);
            switch (state) {
                case "SUCCEEDED" -> {
                    return operation;
                }
                case "FAILED", "CANCELLED" -> throw new DemoFailure(describeFailure(operation));
                default -> {}
            }
            if (System.nanoTime() > deadline) {
                throw new DemoFailure("operation " + operationId + " is still " + state + " after " + seconds + " s");
            }
            Pause.millis(POLL_MILLIS);
        }
    }

    private void show(JsonNode operation, Set<String> printed) {
        for (JsonNode stage : operation.path("stages")) {
            String name = stage.path("name").asString();
            String state = stage.path("state").asString();
            if (ENDED.contains(state) && printed.add(name)) {
                terminal.say(finished(stage));
            } else if (state.equals("RUNNING")) {
                terminal.live(running(stage));
            }
        }
    }

    /** "drain          0.31 s   768.0 MiB   2.4 GiB/s"; the rate is the whole stage's. */
    static String finished(JsonNode stage) {
        double seconds = seconds(stage);
        long bytes = stage.path("bytesDone").asLong(0);
        String state = stage.path("state").asString();
        StringBuilder line =
                new StringBuilder("%-16s %9s".formatted(stage.path("name").asString(), Units.seconds(seconds)));
        if (bytes > 0) {
            line.append("  %11s".formatted(Units.bytes(bytes)));
            if (seconds > 0) {
                line.append("  %13s".formatted(Units.rate(bytes / seconds)));
            }
        }
        return state.equals("SUCCEEDED") ? line.toString() : line + "  " + state;
    }

    static String running(JsonNode stage) {
        StringBuilder line =
                new StringBuilder("%-16s ".formatted(stage.path("name").asString()));
        long total = stage.path("bytesTotal").asLong(0);
        if (total > 0) {
            line.append(Units.bytes(stage.path("bytesDone").asLong(0)))
                    .append(" of ")
                    .append(Units.bytes(total));
        }
        if (stage.path("bytesPerSecond").isNumber()) {
            line.append(", ").append(Units.rate(stage.path("bytesPerSecond").asDouble()));
        }
        if (stage.path("remainingSeconds").isNumber()) {
            line.append(", ")
                    .append(Units.seconds(stage.path("remainingSeconds").asDouble()))
                    .append(" left");
        }
        return line.toString();
    }

    private static double seconds(JsonNode stage) {
        if (!stage.path("startedAt").isString() || !stage.path("finishedAt").isString()) {
            return 0;
        }
        return Units.seconds(Duration.between(
                Instant.parse(stage.path("startedAt").asString()),
                Instant.parse(stage.path("finishedAt").asString())));
    }

    static String describeFailure(JsonNode operation) {
        JsonNode failure = operation.path("failure");
        return "%s operation %s %s in stage %s: %s: %s"
                .formatted(
                        operation.path("kind").asString(""),
                        operation.path("id").asString(""),
                        operation.path("state").asString(""),
                        failure.path("stage").asString("(none)"),
                        failure.path("code").asString(""),
                        failure.path("detail").asString(""));
    }
}
