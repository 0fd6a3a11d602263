package io.gpusnap.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Starts processes, each in a session of its own so that Ctrl-C reaches only the demo, and ends them all, the latest first.
 * Thread-safe: the shutdown hook may run beside the demo.
 */
final class Launcher {

    private static final int STOP_SECONDS = 30;
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

    private final Path folder;
    private final Deque<Started> running = new ArrayDeque<>();
    private boolean closed;

    /** @param folder working directory and logs of everything started */
    Launcher(Path folder) {
        this.folder = folder;
    }

    synchronized Started start(String name, List<String> command, Map<String, String> environment) {
        if (closed) {
            throw new DemoFailure("the demo is being ended");
        }
        Path log = folder.resolve(name + ".log");
        List<String> line = new ArrayList<>(List.of("setsid"));
        line.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(line)
                .directory(folder.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(environment);
        try {
            // Made here and only appended to: what a process prints may be meant for its owner alone.
            Files.deleteIfExists(log);
            Files.createFile(log, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
            return keep(Started.of(name, builder.start().pid(), log));
        } catch (IOException e) {
            throw new DemoFailure("cannot start " + name + ": " + e.getMessage(), e);
        }
    }

    /** Answers from now on for a process that somebody else started, a restored one. */
    synchronized Started adopt(String name, long pid, Path log) {
        return keep(Started.of(name, pid, log));
    }

    private Started keep(Started process) {
        running.push(process);
        return process;
    }

    synchronized List<Started> running() {
        return running.stream().filter(Started::alive).toList();
    }

    /** Whatever is left is ended; nothing can be started afterwards. */
    synchronized void stopAll() {
        closed = true;
        running.forEach(process -> process.stop(true, STOP_SECONDS));
        running.clear();
    }

    /** Leaves everything as it is. */
    synchronized void release() {
        closed = true;
        running.clear();
    }
}
