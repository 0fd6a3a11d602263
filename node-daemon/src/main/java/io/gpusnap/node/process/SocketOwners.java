package io.gpusnap.node.process;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Who holds which socket or pipe. */
public final class SocketOwners {

    private final ProcFs proc;

    public SocketOwners(ProcFs proc) {
        this.proc = proc;
    }

    /** The listeners that the given processes hold. */
    public List<TcpListener> listenersOf(List<ProcessId> processes) {
        if (processes.isEmpty()) {
            return List.of();
        }
        Set<Long> inodes = sockets(processes);
        return TcpListener.inNamespaceOf(proc, processes.getFirst().pid()).stream()
                .filter(listener -> inodes.contains(listener.inode()))
                .toList();
    }

    /** Paths of unix sockets that the given processes have bound. */
    public List<String> boundUnixPaths(List<ProcessId> processes) {
        return boundUnixNames(processes).stream()
                .filter(name -> name.startsWith("/"))
                .toList();
    }

    /** The same, with those of no file, which begin with an @. */
    public List<String> boundUnixNames(List<ProcessId> processes) {
        if (processes.isEmpty()) {
            return List.of();
        }
        Set<Long> inodes = sockets(processes);
        return proc.netTable(processes.getFirst().pid(), "unix").stream()
                .map(line -> line.trim().split("\\s+", 8))
                .filter(fields -> fields.length == 8)
                .filter(fields -> inodes.contains(Long.parseLong(fields[6])))
                .map(fields -> fields[7])
                .distinct()
                .toList();
    }

    Set<Long> sockets(List<ProcessId> processes) {
        return processes.stream()
                .flatMap(process -> proc.descriptorTargets(process.pid()).stream())
                .map(OpenFd::socketInode)
                .collect(Collectors.toSet());
    }

    /** A process that has this descriptor open. */
    public Optional<Integer> holder(String target) {
        return Optional.ofNullable(holders(Set.of(target), Set.of()).get(target));
    }

    /** For each of the targets that somebody else has open: one who has. One walk over all processes. */
    public Map<String, Integer> holders(Set<String> targets, Set<Integer> except) {
        Map<String, Integer> holders = new HashMap<>();
        if (targets.isEmpty()) {
            return holders;
        }
        for (int pid : proc.pids()) {
            if (!except.contains(pid)) {
                for (String target : proc.descriptorTargets(pid)) {
                    if (targets.contains(target)) {
                        holders.putIfAbsent(target, pid);
                    }
                }
            }
        }
        return holders;
    }
}
