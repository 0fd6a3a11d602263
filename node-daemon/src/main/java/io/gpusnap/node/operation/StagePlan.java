package io.gpusnap.node.operation;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The stages of one operation in order.
 *
 * @param release called exactly once when the operation has ended, however it ended: frees what the stages shared in
 *     memory (leases, descriptors). It must not throw.
 */
public record StagePlan(OperationKind kind, List<Stage> stages, Runnable release) {

    public StagePlan {
        stages = List.copyOf(stages);
        if (stages.isEmpty()) {
            throw new IllegalArgumentException("a plan needs at least one stage");
        }
        Set<String> names = new HashSet<>();
        for (Stage stage : stages) {
            if (!stage.name().matches("[a-z][a-z0-9]*(-[a-z0-9]+)*")) {
                throw new IllegalArgumentException("stage name is not kebab-case: " + stage.name());
            }
            if (!names.add(stage.name())) {
                throw new IllegalArgumentException("two stages are named " + stage.name());
            }
        }
    }

    public StagePlan(OperationKind kind, List<Stage> stages) {
        this(kind, stages, () -> {});
    }

    public List<String> stageNames() {
        return stages.stream().map(Stage::name).toList();
    }
}
