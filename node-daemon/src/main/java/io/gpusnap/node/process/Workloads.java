package io.gpusnap.node.process;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds workloads. */
public final class Workloads {

    public static final String NAME_VARIABLE = "GPUSNAP_WORKLOAD";
    private static final String SOCKET_DIR_VARIABLE = "GPUSNAP_SOCKET_DIR";
    private static final String DEFAULT_SOCKET_DIR = "/tmp/gpusnap";
    private static final String PRELOAD = "libgpusnap-preload.so";

    private final ProcFs proc;
    private final Containers containers;

    public Workloads(ProcFs proc) {
        this.proc = proc;
        this.containers = new Containers(proc);
    }

    /** Children inherit the environment: only the topmost process of each name counts, and no placeholder above it. */
    public List<Workload> find() {
        Map<Integer, String> names = new HashMap<>();
        for (int pid : proc.pids()) {
            nameOf(pid).ifPresent(name -> names.put(pid, name));
        }
        return names.entrySet().stream()
                .filter(entry -> proc.stat(entry.getKey())
                        .filter(stat -> !entry.getValue().equals(names.get(stat.parent())))
                        .isPresent())
                .map(entry -> read(entry.getKey(), entry.getValue()))
                .flatMap(Optional::stream)
                .toList();
    }

    /** Empty when the process is gone, or is another one by now. */
    public Optional<Workload> read(ProcessId process) {
        return read(process.pid(), nameOf(process.pid()).orElse(""))
                .filter(workload -> workload.process().equals(process));
    }

    /**
     * As its environment says. A pod's UID there is what a thaw brought from another pod, or what anybody has written: the pod is
     * then that of the control group, and a process outside of all pods is none of one that is here.
     */
    public Optional<String> nameOf(int pid) {
        return saidName(pid)
                .flatMap(said -> !Containers.isUid(said)
                        ? Optional.of(said)
                        : containers.podOf(pid).or(() -> Optional.of(said).filter(uid -> !containers.isHere(uid))));
    }

    /** Whether a process that comes back from a workload of this name may be this one; it need not be in its pod yet. */
    public boolean mayBe(int pid, String name) {
        return saidName(pid)
                .filter(said -> said.equals(name) || Containers.isUid(said) && Containers.isUid(name))
                .isPresent();
    }

    private Optional<String> saidName(int pid) {
        return Optional.ofNullable(proc.environment(pid).get(NAME_VARIABLE))
                .filter(name -> !name.isEmpty())
                .filter(name -> !PlaceholderState.isPlaceholder(proc, pid));
    }

    private Optional<Workload> read(int pid, String name) {
        String preload = proc.mappedFiles(pid).stream()
                .filter(path -> path.endsWith("/" + PRELOAD))
                .findFirst()
                .orElse("");
        // Last, so that all of the above is known to be of this process.
        return proc.stat(pid)
                .filter(stat -> !stat.isDead())
                .map(stat -> new Workload(
                        stat.id(),
                        name,
                        proc.link(pid, "exe").orElse(""),
                        proc.commandLine(pid),
                        preload,
                        socketPath(pid)));
    }

    /** Those of some processes whose preload listens: they have used CUDA. In the order of their ids. */
    public List<Integer> withPreload(Collection<ProcessId> tree) {
        return tree.stream().filter(this::listens).map(ProcessId::pid).sorted().toList();
    }

    /** A socket's file says nothing: a process that was killed leaves it, and its id goes to another. */
    private boolean listens(ProcessId process) {
        String own = "%s/%d.sock".formatted(socketFolder(process.pid()), proc.ownPid(process.pid()));
        return new SocketOwners(proc).boundUnixPaths(List.of(process)).contains(own);
    }

    private String socketPath(int pid) {
        return "%s/root%s/%d.sock".formatted(proc.of(pid), socketFolder(pid), proc.ownPid(pid));
    }

    /** As the process sees it. */
    public String socketFolder(int pid) {
        return proc.environment(pid).getOrDefault(SOCKET_DIR_VARIABLE, DEFAULT_SOCKET_DIR);
    }
}
