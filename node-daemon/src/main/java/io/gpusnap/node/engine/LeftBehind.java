package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.LogKeys;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What waits with a suspended process that has ended. Nothing resumes it any more, and it holds what it holds: it is ended, by name,
 * unless an operation works on the workload, which does that itself.
 */
final class LeftBehind {

    private static final Logger LOG = LoggerFactory.getLogger(LeftBehind.class);

    private final SuspendedProcesses suspended;
    private final BusyWorkloads busy;
    private final ProcFs proc;

    LeftBehind(SuspendedProcesses suspended, BusyWorkloads busy, ProcFs proc) {
        this.suspended = suspended;
        this.busy = busy;
        this.proc = proc;
    }

    /** Ends all of it that there is now; what cannot be ended is told in the log, and stays for the next look. */
    void end() {
        try {
            for (SuspendedTree tree : suspended.rootless()) {
                if (!busy.all().containsKey(tree.first())) {
                    end(tree);
                }
            }
        } catch (IOException e) {
            LOG.atWarn()
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("it cannot be told which suspended processes have ended; tried again");
        }
    }

    private void end(SuspendedTree tree) throws IOException {
        List<Integer> left =
                tree.names().stream().filter(proc::isAlive).map(ProcessId::pid).toList();
        try {
            new ProcessTree(proc).end(tree.names());
        } catch (ProcessException e) {
            LOG.atWarn()
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("{}, has ended, and what is left of it cannot be ended; tried again", tree.told());
            return;
        }
        suspended.forget(tree.first());
        if (left.isEmpty()) {
            LOG.info("{}, has ended", tree.told());
        } else {
            LOG.atWarn()
                    .addKeyValue("pids", left)
                    .log("{}, has ended: what was left of it was ended as well", tree.told());
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
