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
 * Finds what a restore left behind that nobody lived to name. The ids were free before; a process that has one of them, not
 * only a thread, and started later is ours if it is the saved one again (name, executable and user), or is still CRIU at
 * work on our folder, or is in between: of our own user, and without any arguments.
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
                    .filter(stat -> stat.startTimeTicks() >= begun.notBeforeTicks())
                    .filter(stat -> proc.isAlive(stat.id()))
                    .filter(stat -> isProcess(task) && isOurs(task, begun));
            if (found.isPresent()) {
                new ProcessTree(proc).end(found.get().id());
            }
        }
    }

    private boolean isProcess(int task) {
        return proc.status(task, "Tgid").filter(Integer.toString(task)::equals).isPresent();
    }

    /** CRIU gives a process its arguments, name and executable first, its user last. */
    private boolean isOurs(int task, RestoreBegun begun) {
        Optional<Long> user = userOf(task);
        boolean own = user.isPresent()
                && user.equals(userOf((int) ProcessHandle.current().pid()));
        Optional<String> executable = proc.link(task, "exe");
        List<String> arguments = proc.commandLine(task);
        if (arguments.isEmpty()) {
            // Threads of the kernel have no executable.
            return own && executable.isPresent();
        }
        if (arguments.contains(images.toAbsolutePath().toString())) {
            return own;
        }
        return (own || user.filter(uid -> uid == begun.uid()).isPresent())
                && executable.filter(begun.executable()::equals).isPresent()
                && new Workloads(proc).mayBe(task, begun.workload());
    }

    private Optional<Long> userOf(int pid) {
        return proc.status(pid, "Uid").map(ids -> Long.valueOf(ids.split("\\s+")[1]));
    }
}
