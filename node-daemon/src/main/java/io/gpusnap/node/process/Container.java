package io.gpusnap.node.process;

import java.util.List;
import java.util.Optional;

/**
 * A container, known by its first process: everything of it shares that one's namespaces, and ends with it.
 *
 * @param init its process 1, by the pid that the daemon has for it
 */
public record Container(ProcessId init) {

    private static final String SELF = "self";
    private static final List<String> NAMESPACES = List.of("pid", "mnt", "net", "ipc", "uts", "cgroup", "user");

    /** The container that a process lives in; empty for one that lives where the daemon does. */
    public static Optional<Container> of(ProcFs proc, ProcessId process) {
        Optional<String> here = proc.linkOf(SELF, "ns/pid");
        if (proc.link(process.pid(), "ns/pid").equals(here)) {
            return Optional.empty();
        }
        return PidNamespace.of(proc, process)
                .flatMap(namespace -> namespace.process(1))
                .map(ProcessStat::id)
                .map(Container::new);
    }

    /** The first kind of namespace that a process does not share with the container. */
    public Optional<String> strange(ProcFs proc, ProcessId process) {
        return NAMESPACES.stream()
                .filter(kind -> !proc.link(process.pid(), "ns/" + kind).equals(proc.link(init.pid(), "ns/" + kind)))
                .findFirst();
    }

    /** Whether its users are other ones than the daemon's: root in there is nobody out here. */
    public boolean mapsUsers(ProcFs proc) {
        return !proc.link(init.pid(), "ns/user").equals(proc.linkOf(SELF, "ns/user"));
    }
}
