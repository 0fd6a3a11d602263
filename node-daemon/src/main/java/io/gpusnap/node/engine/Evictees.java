package io.gpusnap.node.engine;

import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.SnapshotId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** The candidates of a switch, in order. */
record Evictees(List<Evictee> all) {

    /** Those that the preflight chose. */
    List<Evictee> chosen(StageContext context) {
        List<SnapshotId> ids =
                context.recall(SwitchChoice.class).map(SwitchChoice::suspended).orElse(List.of());
        return all.stream().filter(one -> ids.contains(one.snapshot())).toList();
    }

    /**
     * Of every chosen one, the last first; one that cannot be undone does not stop the others. Once the other process serves,
     * those whose snapshot exists stay as they are: frozen in it.
     */
    void undo(Function<Evictee, List<Stage>> group, StageContext context) throws StageException {
        boolean serves = context.recall(ThawOutcome.class).isPresent();
        List<StageException> problems = new ArrayList<>();
        for (Evictee one : chosen(context).reversed()) {
            try {
                if (!serves || !one.isKept(context)) {
                    one.undo(group.apply(one), context);
                }
            } catch (StageException e) {
                problems.add(e);
            }
        }
        if (!problems.isEmpty()) {
            StageException first = problems.getFirst();
            problems.stream().skip(1).forEach(first::addSuppressed);
            throw first;
        }
    }
}
