package io.gpusnap.node.engine;

import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.process.ProcessStat;
import io.gpusnap.node.process.ProcessTree;
import io.gpusnap.node.process.Workloads;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Finds what a restore left behind that nobody lived to name. The ids were free before; something that has one of them and
 * started later is ours if it carries the workload's name, or is still CRIU at work on our folder, or is in between: without
 * any arguments.
 */
final class HalfMade {

    private final ProcFs proc;
    private final Path images;

    HalfMade(ProcFs proc, Path images) {
        this.proc = proc;
        this.images = images;
    }

    void end(RestoreBegun begun) throws ProcessException {
        for (int task : begun.taskIds()) {
            Optional<ProcessStat> found = proc.stat(task)
                    .filter(stat -> !stat.isDead())
                    .filter(stat -> stat.startTimeTicks() >= begun.notBeforeTicks())
                    .filter(stat -> isOurs(task, begun.workload()));
            if (found.isPresent()) {
                new ProcessTree(proc).end(found.get().id());
            }
        }
    }

    private boolean isOurs(int task, String workload) {
        List<String> arguments = proc.commandLine(task);
        return arguments.isEmpty()
                || arguments.contains(images.toAbsolutePath().toString())
                || new Workloads(proc).nameOf(task).filter(workload::equals).isPresent();
    }
}
