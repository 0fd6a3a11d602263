package io.gpusnap.node.operation;

import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The one table of legal transitions. The journal refuses all others, and the diagram in the docs is written from it. */
final class Transitions {

    record Arrow<S extends Enum<S>>(S from, S to, String why) {}

    static final List<Arrow<StageState>> STAGE = List.of(
            new Arrow<>(StageState.PENDING, StageState.RUNNING, "its turn"),
            new Arrow<>(StageState.PENDING, StageState.SKIPPED, "an earlier stage did not succeed"),
            new Arrow<>(StageState.RUNNING, StageState.RUNNING, "retry, or rerun after a daemon restart"),
            new Arrow<>(StageState.RUNNING, StageState.SUCCEEDED, "run() returned"),
            new Arrow<>(StageState.RUNNING, StageState.FAILED, "run() threw"),
            new Arrow<>(StageState.RUNNING, StageState.COMPENSATED, "undone after cancel or daemon restart"),
            new Arrow<>(StageState.SUCCEEDED, StageState.COMPENSATED, "undone"),
            new Arrow<>(StageState.FAILED, StageState.COMPENSATED, "undone"));

    static final List<Arrow<OperationState>> OPERATION = List.of(
            new Arrow<>(OperationState.PENDING, OperationState.RUNNING, "first stage starts"),
            new Arrow<>(
                    OperationState.PENDING,
                    OperationState.UNDOING,
                    "cancelled, or daemon restarted, before it started"),
            new Arrow<>(OperationState.RUNNING, OperationState.SUCCEEDED, "every stage succeeded"),
            new Arrow<>(OperationState.RUNNING, OperationState.UNDOING, "failed, cancelled, or daemon restarted"),
            new Arrow<>(OperationState.UNDOING, OperationState.FAILED, "undone after a failure"),
            new Arrow<>(OperationState.UNDOING, OperationState.CANCELLED, "undone after a cancel"));

    private Transitions() {}

    static boolean legal(StageState from, StageState to) {
        return STAGE.stream().anyMatch(is(from, to));
    }

    static boolean legal(OperationState from, OperationState to) {
        return OPERATION.stream().anyMatch(is(from, to));
    }

    private static <S extends Enum<S>> Predicate<Arrow<S>> is(S from, S to) {
        return arrow -> arrow.from() == from && arrow.to() == to;
    }

    /** A Mermaid state diagram. */
    static <S extends Enum<S>> String diagram(List<Arrow<S>> table) {
        return table.stream()
                .map(arrow -> "    " + arrow.from() + " --> " + arrow.to() + ": " + arrow.why() + "\n")
                .collect(Collectors.joining("", "stateDiagram-v2\n    [*] --> PENDING\n", ""));
    }
}
