package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What waits with a suspended process that has ended. Nothing resumes it any more, and it holds what it holds: it is ended, by name,
 * unless an operation works on the workload, which does that itself.
 */
final class LeftBehind {

    private static final Logger LOG = LoggerFactory.getLogger(LeftBehind.class);

    /** From that many looks on it is told that somebody is stuck. */
    private static final int STUCK_LOOKS = 10;

    private final SuspendedProcesses suspended;
    private final BusyWorkloads busy;
    private final ProcFs proc;
    private final Predicate<Collection<ProcessId>> run;
    /** By the first process. What ended in two looks in a row has ended: one may have seen wrong. */
    private final Map<ProcessId, Ending> endings = new HashMap<>();

    private boolean hasAsked;

    /** What was done at earlier looks. */
    private static final class Ending {
        private final Set<Integer> killed = new TreeSet<>();
        private int looks;
    }

    /** @param run whether processes are known to run, by what their preloads say */
    LeftBehind(SuspendedProcesses suspended, BusyWorkloads busy, ProcFs proc, Predicate<Collection<ProcessId>> run) {
        this.suspended = suspended;
        this.busy = busy;
        this.proc = proc;
        this.run = run;
    }

    /**
     * One look. Kills what is left of those that had ended at the look before too, and waits for nothing: what has ended by the next
     * look is forgotten then. So one that is stuck delays no other.
     */
    void look() {
        suspended.forgetAgain();
        try {
            if (!hasAsked) {
                forgetThoseThatRun();
                hasAsked = true;
            }
            List<SuspendedTree> ended = suspended.rootless().stream()
                    .filter(tree -> !busy.all().containsKey(tree.first()))
                    .toList();
            endings.keySet().retainAll(ended.stream().map(SuspendedTree::first).toList());
            for (SuspendedTree tree : ended) {
                if (endings.putIfAbsent(tree.first(), new Ending()) != null) {
                    end(tree, endings.get(tree.first()));
                }
            }
        } catch (IOException e) {
            endings.clear();
            LOG.atWarn()
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("it cannot be told which suspended processes have ended; tried again");
        }
    }

    /** An earlier daemon may not have been able to forget them; when they end, what they leave is nobody's affair. */
    private void forgetThoseThatRun() throws IOException {
        ProcessTree trees = new ProcessTree(proc);
        for (ProcessId process : suspended.all()) {
            if (!busy.all().containsKey(process)
                    && run.test(trees.of(process))
                    && !busy.all().containsKey(process)) {
                LOG.info("{} was suspended and runs again", process);
                forget(process);
            }
        }
    }

    private void end(SuspendedTree tree, Ending ending) {
        List<ProcessId> left = left(tree);
        if (left.isEmpty()) {
            forget(tree.first());
            if (ending.killed.isEmpty()) {
                LOG.info("{}, has ended", tree.told());
            } else {
                LOG.atWarn()
                        .addKeyValue("pids", ending.killed)
                        .log("{}, has ended: what was left of it was ended as well", tree.told());
            }
        } else if (ending.killed.isEmpty() && run.test(left)) {
            forget(tree.first());
            LOG.warn("{}, has ended, and what is left of it runs: it had been resumed", tree.told());
        } else {
            kill(tree, left, ending);
        }
    }

    private void kill(SuspendedTree tree, List<ProcessId> left, Ending ending) {
        new ProcessTree(proc).kill(left);
        left.forEach(process -> ending.killed.add(process.pid()));
        ending.looks++;
        if (ending.looks == STUCK_LOOKS) {
            LOG.atWarn()
                    .addKeyValue("pids", left.stream().map(ProcessId::pid).toList())
                    .log("{}, has ended, and what is left of it cannot be ended; tried again", tree.told());
        }
    }

    /** Those that waited with it, and what descends from them: never the first one, whatever was read of it. */
    private List<ProcessId> left(SuspendedTree tree) {
        Set<ProcessId> waited = new LinkedHashSet<>(tree.processes());
        waited.remove(tree.first());
        return new ProcessTree(proc)
                .descend(waited).stream()
                        .filter(process -> !process.equals(tree.first()) && !proc.hasEnded(process))
                        .toList();
    }

    private void forget(ProcessId first) {
        endings.remove(first);
        try {
            suspended.forget(first);
        } catch (IOException e) {
            LOG.atWarn().addKeyValue(LogKeys.REASON, e.getMessage()).log("{} cannot be forgotten; tried again", first);
        }
    }

    /** Those whose first process has ended, before anybody has looked. */
    List<SuspendedTree> all() {
        try {
            return suspended.rootless();
        } catch (IOException e) {
            return List.of();
        }
    }

    /** Why a process cannot be saved that is one of these. */
    static Optional<WorkloadInfo.Refusal> refusal(List<SuspendedTree> all, ProcessId process) {
        return all.stream()
                .filter(tree -> tree.processes().contains(process))
                .findFirst()
                .map(tree -> new WorkloadInfo.Refusal(
                        FailureCode.WORKLOAD_LOST,
                        "it is what is left of %s and has ended: it is ended as well".formatted(tree.told())));
    }
}
