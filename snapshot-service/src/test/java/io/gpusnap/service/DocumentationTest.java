package io.gpusnap.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.operation.OperationDiagram;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.snapshot.SnapshotDiagram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** docs/control-plane.md has parts that are written from the code; {@code -Dgpusnap.docs.update=true} rewrites them. */
class DocumentationTest {
    private static final Path FILE = Path.of(System.getProperty("gpusnap.root", ".."), "docs", "control-plane.md");

    private static String generated(String part) {
        return switch (part) {
            case "operation states" -> OperationDiagram.mermaid();
            case "snapshot states" -> SnapshotDiagram.mermaid();
            case "error codes" ->
                Arrays.stream(ErrorCode.values())
                        .map(code -> "| `" + code.name() + "` | "
                                + code.status().value() + " | " + code.title() + ". " + code.advice() + " |")
                        .collect(Collectors.joining(
                                "\n", "| code | status | meaning and what to do |\n|---|---|---|\n", "\n"));
            default -> throw new IllegalArgumentException(part);
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"operation states", "snapshot states", "error codes"})
    void thePartIsWhatTheCodeSays(String part) throws IOException {
        String begin = "<!-- generated: " + part + " -->\n";
        String end = "<!-- end -->";
        String text = Files.readString(FILE);
        int from = text.indexOf(begin) + begin.length();
        assertThat(from).as("the mark of " + part).isGreaterThanOrEqualTo(begin.length());
        int to = text.indexOf(end, from);
        if (Boolean.getBoolean("gpusnap.docs.update")) {
            text = text.substring(0, from) + generated(part) + text.substring(to);
            Files.writeString(FILE, text);
            to = text.indexOf(end, from);
        }

        assertThat(text.substring(from, to)).isEqualTo(generated(part));
    }

    @Test
    void everyErrorCodeSaysWhatToDo() {
        assertThat(ErrorCode.values()).allSatisfy(code -> {
            assertThat(code.title()).isNotBlank().doesNotEndWith(".");
            assertThat(code.advice()).isNotBlank().endsWith(".");
            assertThat(code.status().isError()).isTrue();
        });
    }

    @Test
    void everyFailureCodeOfDaemonsIsKnown() {
        assertThat(Arrays.stream(ErrorCode.values()).map(Enum::name))
                .contains(
                        "WORKLOAD_NOT_FOUND",
                        "WORKLOAD_NOT_MANAGED",
                        "WORKLOAD_UNSUPPORTED",
                        "WORKLOAD_LOST",
                        "GPU_MISMATCH",
                        "DRIVER_MISMATCH",
                        "INCOMPATIBLE",
                        "INSUFFICIENT_VRAM",
                        "INSUFFICIENT_SPACE",
                        "CHUNK_CORRUPT",
                        "CHUNK_MISSING",
                        "MANIFEST_INVALID",
                        "PID_CONFLICT",
                        "PORT_CONFLICT",
                        "PATH_MISSING",
                        "CRIU_UNAVAILABLE",
                        "CRIU_FAILED",
                        "DRIVER_FAILED",
                        "QUIESCE_TIMEOUT",
                        "WORKLOAD_REFUSED",
                        "PROTOCOL_ERROR",
                        "CAPABILITY_MISSING",
                        "STORE_ERROR",
                        "DAEMON_RESTARTED",
                        "LEASE_LOST",
                        "TIER_UNAVAILABLE",
                        "TIER_MISMATCH",
                        "CANCELLED",
                        "INTERNAL");
    }
}
