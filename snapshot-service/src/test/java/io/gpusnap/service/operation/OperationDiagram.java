package io.gpusnap.service.operation;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The transition table as a Mermaid diagram. */
public final class OperationDiagram {
    private OperationDiagram() {}

    public static String mermaid() {
        String start = "    [*] --> " + OperationState.PENDING + "\n";
        String steps = Arrays.stream(OperationState.Transition.values())
                .map(step -> "    " + step.from + " --> " + step.to + ": " + step.when + "\n")
                .collect(Collectors.joining());
        return "```mermaid\nstateDiagram-v2\n" + start + steps + "```\n";
    }
}
