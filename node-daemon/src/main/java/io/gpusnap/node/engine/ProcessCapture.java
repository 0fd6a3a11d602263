package io.gpusnap.node.engine;

import io.gpusnap.node.engine.check.ContainerChecks;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.Container;
import io.gpusnap.node.process.Mount;
import io.gpusnap.node.process.OpenFd;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessStat;
import io.gpusnap.node.process.ProcessTree;
import io.gpusnap.node.process.SocketOwners;
import io.gpusnap.node.store.ContainerPart;
import io.gpusnap.node.store.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** Describes a frozen tree for the manifest. Files are looked up under the process's own root. */
final class ProcessCapture {

    private final ProcFs proc;
    private final SaveSubject subject;

    ProcessCapture(ProcFs proc, SaveSubject subject) {
        this.proc = proc;
        this.subject = subject;
    }

    /** Of one that stays where it is: its pid is the daemon's. */
    FrozenProcess capture() {
        return capture(subject.process().pid(), Optional.empty());
    }

    /** Of one that lives in a container: its pid is the one that it has in there. */
    FrozenProcess captureIn(Container container) throws StageException, IOException {
        List<ProcessId> tree = new ProcessTree(proc).of(subject.process());
        return capture(
                proc.ownPid(subject.process().pid()), Optional.of(new ContainerChecks(proc, container).capture(tree)));
    }

    private FrozenProcess capture(int imagePid, Optional<ContainerPart> container) {
        int pid = subject.process().pid();
        List<ProcessId> tree = new ProcessTree(proc).of(subject.process());
        SocketOwners sockets = new SocketOwners(proc);
        Manifest.ProcessImage image = new Manifest.ProcessImage(
                subject.workload(),
                imagePid,
                subject.process().startTimeTicks(),
                taskIds(tree),
                subject.sessionLeader(),
                proc.link(pid, "exe").orElse(""),
                proc.commandLine(pid),
                proc.link(pid, "cwd").orElse("/"),
                id("Uid"),
                id("Gid"),
                sockets.listenersOf(tree).stream()
                        .map(listener ->
                                new Manifest.ListeningSocket(listener.protocol(), listener.address(), listener.port()))
                        .toList(),
                openFiles(tree),
                mappedFiles(tree),
                sockets.boundUnixPaths(tree),
                List.copyOf(proc.environment(pid).keySet()));
        return new FrozenProcess(image, mountPoints(pid), container);
    }

    /** What the daemon mounted for itself is no need of a workload that ran beside it. */
    private List<String> mountPoints(int pid) {
        return proc.mounts(pid).stream()
                .filter(mount -> !ScratchMount.isOurs(mount))
                .map(Mount::point)
                .distinct()
                .toList();
    }

    private List<Integer> taskIds(List<ProcessId> tree) {
        TreeSet<Integer> ids = new TreeSet<>();
        for (ProcessId process : tree) {
            for (int task : proc.taskIds(process.pid())) {
                ids.add(proc.ownTaskId(process.pid(), task));
            }
        }
        return List.copyOf(ids);
    }

    private List<Manifest.OpenFile> openFiles(List<ProcessId> tree) {
        List<Manifest.OpenFile> files = new ArrayList<>();
        for (ProcessId process : tree) {
            for (OpenFd fd : proc.descriptors(process.pid())) {
                long size = fd.isPath() && !fd.isDeleted() ? sizeOf(process, fd.target()) : -1;
                if (size >= 0) {
                    files.add(new Manifest.OpenFile(fd.fd(), fd.target(), size, fd.mode()));
                }
            }
        }
        return files.stream().distinct().toList();
    }

    private List<Manifest.MappedFile> mappedFiles(List<ProcessId> tree) {
        List<Manifest.MappedFile> files = new ArrayList<>();
        for (ProcessId process : tree) {
            for (String path : proc.mappedFiles(process.pid())) {
                long size = sizeOf(process, path);
                if (size >= 0) {
                    files.add(new Manifest.MappedFile(path, size));
                }
            }
        }
        return files.stream().distinct().toList();
    }

    /** -1 for what is not a regular file: devices, and what is gone. */
    private long sizeOf(ProcessId process, String path) {
        Path file = Path.of(proc.of(process.pid()) + "/root" + path);
        try {
            return Files.isRegularFile(file) ? Files.size(file) : -1;
        } catch (IOException e) {
            return -1;
        }
    }

    /** The effective one: real, effective, saved, file system. */
    private long id(String label) {
        return proc.status(subject.process().pid(), label)
                .map(value -> Long.parseLong(value.split("\\s+")[1]))
                .orElse(0L);
    }

    static boolean isSessionLeader(ProcFs proc, ProcessId process) {
        return proc.stat(process.pid())
                .map(ProcessStat::session)
                .filter(session -> session == process.pid())
                .isPresent();
    }
}
