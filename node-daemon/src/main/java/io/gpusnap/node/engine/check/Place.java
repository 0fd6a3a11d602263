package io.gpusnap.node.engine.check;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.Container;
import io.gpusnap.node.process.PidNamespace;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessStat;
import io.gpusnap.node.process.SocketOwners;
import io.gpusnap.node.process.TcpListener;
import io.gpusnap.node.process.TcpPort;
import io.gpusnap.node.store.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/** Whether the place that a process had is free: its ids, ports, folders and files. */
public final class Place {

    private static final int SELF = (int) ProcessHandle.current().pid();

    private final ProcFs proc;
    private final int neighbour;
    private final Path root;
    /** A look at who has which id. */
    private final Supplier<IntFunction<Optional<ProcessStat>>> look;

    private final Set<String> brought;

    /** On the node itself. */
    public Place(ProcFs proc) {
        this(proc, SELF, Path.of("/"), () -> proc::stat, Set.of());
    }

    private Place(
            ProcFs proc,
            int neighbour,
            Path root,
            Supplier<IntFunction<Optional<ProcessStat>>> look,
            Set<String> brought) {
        this.proc = proc;
        this.neighbour = neighbour;
        this.root = root;
        this.look = look;
        this.brought = brought;
    }

    /**
     * In a container.
     *
     * @param root its root folder, as the daemon reaches it
     * @param brought paths of files that the thaw brings along
     */
    public static Place in(ProcFs proc, Container container, PidNamespace ids, Path root, Set<String> brought) {
        return new Place(proc, container.init().pid(), root, () -> lookInto(ids), brought);
    }

    private static IntFunction<Optional<ProcessStat>> lookInto(PidNamespace ids) {
        Map<Integer, ProcessStat> holders = ids.holders();
        return id -> Optional.ofNullable(holders.get(id));
    }

    /** CRIU restores every task under the id it had. */
    public List<Refusal> taskIds(Manifest.ProcessImage process) {
        List<Refusal> refusals = new ArrayList<>();
        IntFunction<Optional<ProcessStat>> holder = look.get();
        for (int task : process.taskIds()) {
            holder.apply(task).ifPresent(found -> {
                String what = found.isDead()
                        ? "is taken by %s, which ended and was not reaped by its parent, pid %d"
                                .formatted(found.command(), found.parent())
                        : "is taken by %s, %s"
                                .formatted(found.command(), String.join(" ", proc.commandLine(found.pid())));
                refusals.add(new Refusal(FailureCode.PID_CONFLICT, "pid " + task + " of the snapshot " + what));
            });
        }
        return refusals;
    }

    /** Whether ids are taken only by what has ended and will be free by itself. */
    public boolean waitsForReaping(Manifest.ProcessImage process) {
        List<ProcessStat> holders = process.taskIds().stream()
                .map(look.get()::apply)
                .flatMap(Optional::stream)
                .toList();
        return !holders.isEmpty() && holders.stream().allMatch(ProcessStat::isDead);
    }

    /**
     * Whether ports are held only by what is closing and will be free by itself: connections of the process's former life. In a
     * container there are none: its placeholder never listened.
     */
    public boolean waitsForClosing(Manifest.ProcessImage process) throws IOException {
        List<TcpListener> here = TcpListener.inNamespaceOf(proc, neighbour);
        boolean closing = false;
        for (Manifest.ListeningSocket socket : process.listeningSockets()) {
            if (listener(here, socket).isPresent()) {
                return false; // that one does not go by itself
            }
            closing = closing || isClosing(socket);
        }
        return closing;
    }

    public List<Refusal> ports(Manifest.ProcessImage process) throws IOException {
        List<Refusal> refusals = new ArrayList<>();
        List<TcpListener> here = TcpListener.inNamespaceOf(proc, neighbour);
        for (Manifest.ListeningSocket socket : process.listeningSockets()) {
            Optional<TcpListener> listener = listener(here, socket);
            if (listener.isPresent()) {
                refusals.add(taken(socket, "is taken by " + holder(listener.get())));
            } else if (isClosing(socket)) {
                refusals.add(taken(
                        socket,
                        "is held by connections that are still closing, for its listener did not set SO_REUSEADDR:"
                                + " thaw again in a minute"));
            }
        }
        return refusals;
    }

    private static Optional<TcpListener> listener(List<TcpListener> here, Manifest.ListeningSocket socket) {
        return here.stream()
                .filter(found -> found.conflictsWith(socket.address(), socket.port()))
                .findFirst();
    }

    private boolean isClosing(Manifest.ListeningSocket socket) throws IOException {
        return neighbour == SELF
                && new TcpPort(socket.protocol(), socket.address(), socket.port()).isHeldByClosingConnections(proc);
    }

    private static Refusal taken(Manifest.ListeningSocket socket, String how) {
        return new Refusal(
                FailureCode.PORT_CONFLICT,
                "%s port %d of the snapshot %s".formatted(socket.protocol(), socket.port(), how));
    }

    private String holder(TcpListener listener) {
        Optional<Integer> pid = new SocketOwners(proc).holder("socket:[" + listener.inode() + "]");
        return pid.map(id -> "pid " + id + ", " + String.join(" ", proc.commandLine(id)))
                .orElse("a process that cannot be seen from here");
    }

    public List<Refusal> paths(Manifest.ProcessImage process) {
        List<Refusal> refusals = new ArrayList<>();
        if (!Files.isDirectory(here(process.workingDirectory()))) {
            refusals.add(missing("working directory " + process.workingDirectory()));
        }
        for (Manifest.MappedFile file : process.mappedFiles()) {
            if (brought.contains(file.path())) {
                continue;
            }
            long size = sizeOf(here(file.path()));
            if (size < 0) {
                refusals.add(missing("mapped file " + file.path()));
            } else if (size != file.sizeBytes()) {
                refusals.add(changed("mapped file", file.path(), file.sizeBytes(), size));
            }
        }
        for (Manifest.OpenFile file : process.openFiles()) {
            openFile(file, process).ifPresent(refusals::add);
        }
        for (String socket : process.unixSockets()) {
            socketFolder(Path.of(socket), process).ifPresent(refusals::add);
        }
        return refusals;
    }

    /** A file that was only written can be made again: {@link LogFiles} does that. */
    private Optional<Refusal> openFile(Manifest.OpenFile file, Manifest.ProcessImage process) {
        Path path = here(file.path());
        if (brought.contains(file.path())) {
            return Optional.empty();
        }
        if (LogFiles.isWriteOnly(file)) {
            return writtenFile(file, process);
        }
        long size = sizeOf(path);
        if (size < 0) {
            return Files.exists(path) ? Optional.empty() : Optional.of(missing("open file " + file.path()));
        }
        return size == file.sizeBytes()
                ? Optional.empty()
                : Optional.of(changed("open file", file.path(), file.sizeBytes(), size));
    }

    private Optional<Refusal> writtenFile(Manifest.OpenFile file, Manifest.ProcessImage process) {
        try {
            LogFiles.check(root, file, process);
            return Optional.empty();
        } catch (StageException e) {
            return Optional.of(new Refusal(e.code(), e.detail()));
        } catch (NoSuchFileException e) {
            return Optional.of(missing("folder of the open file " + file.path()));
        } catch (IOException e) {
            return Optional.of(unreadable(file.path(), e));
        }
    }

    /** One that is missing is made again, as far as the process's user may. */
    private Optional<Refusal> socketFolder(Path socket, Manifest.ProcessImage process) {
        try {
            Path folder = socket.getParent();
            if (folder != null) {
                SavedFolder.ofSocket(root, folder, process, false).close();
            }
            return Optional.empty();
        } catch (StageException e) {
            return Optional.of(new Refusal(e.code(), e.detail()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(unreadable(socket.toString(), e));
        }
    }

    /** A path of the process, as the daemon reaches it. */
    private Path here(String path) {
        return root.resolve(Path.of("/").relativize(Path.of(path)));
    }

    private static Refusal unreadable(String path, IOException e) {
        return new Refusal(
                FailureCode.PATH_MISSING, "the snapshot's %s cannot be reached on this node: %s".formatted(path, e));
    }

    /** -1 for what is not a regular file. */
    private static long sizeOf(Path path) {
        try {
            return Files.isRegularFile(path) ? Files.size(path) : -1;
        } catch (IOException e) {
            return -1;
        }
    }

    private static Refusal missing(String what) {
        return new Refusal(FailureCode.PATH_MISSING, "the snapshot's " + what + " does not exist on this node");
    }

    private static Refusal changed(String what, String path, long saved, long here) {
        return new Refusal(
                FailureCode.INCOMPATIBLE,
                "%s %s had %d bytes when it was saved, has %d here".formatted(what, path, saved, here));
    }
}
