package io.gpusnap.node.process;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The processes of a PID namespace by the ids that they have in there. Each call looks anew. */
public final class PidNamespace {

    private static final String LINK = "ns/pid";

    private final ProcFs proc;
    private final String name;

    private PidNamespace(ProcFs proc, String name) {
        this.proc = proc;
        this.name = name;
    }

    /** Empty when the process is gone. */
    public static Optional<PidNamespace> of(ProcFs proc, ProcessId process) {
        return proc.link(process.pid(), LINK)
                .filter(link -> proc.isAlive(process))
                .map(link -> new PidNamespace(proc, link));
    }

    /** Whoever has an id in there, a process or one of its threads; each as the daemon sees it. */
    public Map<Integer, ProcessStat> holders() {
        Map<Integer, ProcessStat> holders = new HashMap<>();
        for (ProcessStat member : members()) {
            for (int task : proc.taskIds(member.pid())) {
                holders.put(proc.ownTaskId(member.pid(), task), member);
            }
        }
        return holders;
    }

    /** The process, not only a thread, that has this id in there. */
    public Optional<ProcessStat> process(int ownPid) {
        return members().stream()
                .filter(member -> proc.ownPid(member.pid()) == ownPid)
                .findFirst();
    }

    private List<ProcessStat> members() {
        List<ProcessStat> members = new ArrayList<>();
        for (int pid : proc.pids()) {
            if (proc.link(pid, LINK).filter(name::equals).isPresent()) {
                proc.stat(pid).ifPresent(members::add);
            }
        }
        return members;
    }
}
