package io.gpusnap.node.engine;

import io.gpusnap.node.process.ProcessId;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A workload's processes by name, as they were seen while its first one lived: when that has died, nothing leads to the others any
 * more.
 */
sealed interface NamedTree permits FrozenTree, RestoredTree, SuspendedTree {

    List<ProcessId> processes();

    /** Whom to end when the workload is to end: the first process, where it is known, and those that were seen with it. */
    static Set<ProcessId> names(Optional<ProcessId> first, Optional<? extends NamedTree> seen) {
        Set<ProcessId> names = new LinkedHashSet<>();
        first.ifPresent(names::add);
        seen.ifPresent(tree -> names.addAll(tree.processes()));
        return names;
    }
}
