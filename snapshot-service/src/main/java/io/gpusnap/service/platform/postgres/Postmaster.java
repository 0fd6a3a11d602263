package io.gpusnap.service.platform.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A running PostgreSQL main process. */
record Postmaster(ProcessHandle process) {

    /**
     * The server that runs on a data folder, left by a service that was killed. A stale pid file of a process that is
     * something else by now is removed, since PostgreSQL would take that process for a server.
     */
    static Optional<Postmaster> findOn(Path data) throws IOException {
        Path pidFile = data.resolve("postmaster.pid");
        if (!Files.exists(pidFile)) {
            return Optional.empty();
        }
        List<String> lines = Files.readAllLines(pidFile);
        Optional<Postmaster> found = lines.isEmpty()
                ? Optional.empty()
                : ProcessHandle.of(Long.parseLong(lines.getFirst().strip()))
                        .filter(process -> serves(process, data))
                        .map(Postmaster::new);
        if (found.isEmpty()) {
            Files.deleteIfExists(pidFile);
        }
        return found;
    }

    private static boolean serves(ProcessHandle process, Path data) {
        try {
            List<String> command = List.of(Files.readString(Path.of("/proc", String.valueOf(process.pid()), "cmdline"))
                    .split("\0", -1));
            return command.getFirst().endsWith("/postgres") && command.contains(data.toString());
        } catch (IOException gone) {
            return false;
        }
    }

    /** Ends it in order: clients are cut off, everything committed is on disk. Past the limit it is made to quit. */
    void stop(Duration limit) throws IOException, InterruptedException {
        signal("INT");
        if (!endsWithin(limit)) {
            signal("QUIT");
            if (!endsWithin(limit)) {
                throw new IOException("PostgreSQL, process " + process.pid() + ", does not end");
            }
        }
    }

    private void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    private boolean endsWithin(Duration limit) throws InterruptedException {
        try {
            process.onExit().get(limit.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }
}
