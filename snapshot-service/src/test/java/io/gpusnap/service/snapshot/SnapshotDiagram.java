package io.gpusnap.service.snapshot;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The transition table as a Mermaid diagram. */
public final class SnapshotDiagram {
    private SnapshotDiagram() {}

    public static String mermaid() {
        String start = "    [*] --> " + SnapshotState.CREATING + "\n";
        String steps = Arrays.stream(SnapshotState.Transition.values())
                .map(step -> "    " + step.from + " --> " + step.to + ": " + step.when + "\n")
                .collect(Collectors.joining());
        return "```mermaid\nstateDiagram-v2\n" + start + steps + "```\n";
    }
}
