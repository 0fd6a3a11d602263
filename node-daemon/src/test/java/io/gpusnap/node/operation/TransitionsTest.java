package io.gpusnap.node.operation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * The diagrams in docs/node-daemon.md are the table. {@code -Dgpusnap.docs.write=true} writes them anew; without it a
 * difference fails.
 */
class TransitionsTest {

    private static final Path DOCUMENT = Path.of(System.getProperty("gpusnap.root", ".."), "docs", "node-daemon.md");

    @Test
    void theDiagramsInTheDocsAreTheTable() throws IOException {
        String before = Files.readString(DOCUMENT);
        String expected = replace(
                replace(before, "operation-states", Transitions.diagram(Transitions.OPERATION)),
                "stage-states",
                Transitions.diagram(Transitions.STAGE));
        if (Boolean.getBoolean("gpusnap.docs.write")) {
            Files.writeString(DOCUMENT, expected);
        } else {
            assertThat(before)
                    .as("run this test with -Dgpusnap.docs.write=true after changing Transitions")
                    .isEqualTo(expected);
        }
    }

    @Test
    void nothingLeavesAnEnd() {
        for (StageState next : StageState.values()) {
            assertThat(Transitions.legal(StageState.COMPENSATED, next)).isFalse();
            assertThat(Transitions.legal(StageState.SKIPPED, next)).isFalse();
        }
        for (OperationState next : OperationState.values()) {
            assertThat(Transitions.legal(OperationState.SUCCEEDED, next)).isFalse();
            assertThat(Transitions.legal(OperationState.FAILED, next)).isFalse();
            assertThat(Transitions.legal(OperationState.CANCELLED, next)).isFalse();
        }
    }

    private static String replace(String document, String section, String diagram) {
        String start = "<!-- generated: " + section + " -->\n";
        String end = "<!-- end of " + section + " -->";
        int from = document.indexOf(start);
        int to = document.indexOf(end);
        assertThat(from).as("marker of %s in %s", section, DOCUMENT).isNotNegative();
        assertThat(to).as("end marker of %s in %s", section, DOCUMENT).isGreaterThan(from);
        return document.substring(0, from + start.length()) + "```mermaid\n" + diagram + "```\n"
                + document.substring(to);
    }
}
