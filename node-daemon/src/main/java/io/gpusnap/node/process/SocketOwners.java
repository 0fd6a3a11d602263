package io.gpusnap.node.process;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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
        Set<Long> inodes = new HashSet<>();
        for (ProcessId process : processes) {
            proc.descriptors(process.pid()).forEach(fd -> inodes.add(fd.socketInode()));
        }
        return TcpListener.inNamespaceOf(proc, processes.getFirst().pid()).stream()
                .filter(listener -> inodes.contains(listener.inode()))
                .toList();
    }

    /** Paths of unix sockets that the given processes have bound. */
    public List<String> boundUnixPaths(List<ProcessId> processes) {
        if (processes.isEmpty()) {
            return List.of();
        }
        Set<Long> inodes = new HashSet<>();
        for (ProcessId process : processes) {
            proc.descriptors(process.pid()).forEach(fd -> inodes.add(fd.socketInode()));
        }
        return proc.netTable(processes.getFirst().pid(), "unix").stream()
                .map(line -> line.trim().split("\\s+", 8))
                .filter(fields -> fields.length == 8 && fields[7].startsWith("/"))
                .filter(fields -> inodes.contains(Long.parseLong(fields[6])))
                .map(fields -> fields[7])
                .distinct()
                .toList();
    }

    /** A process that has this descriptor open and is none of the given ones. */
    public Optional<Integer> holder(String target, Set<Integer> except) {
        return proc.pids().stream()
                .filter(pid -> !except.contains(pid))
                .filter(pid -> proc.descriptors(pid).stream()
                        .anyMatch(fd -> fd.target().equals(target)))
                .findFirst();
    }
}
