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
     * something else by now is removed, since PostgreSQL would take that process for a server; one of a process of which
     * that is not certain stays, and PostgreSQL itself judges it.
     */
    static Optional<Postmaster> findOn(Path data) throws IOException {
        Path pidFile = data.resolve("postmaster.pid");
        if (!Files.exists(pidFile)) {
            return Optional.empty();
        }
        List<String> lines = Files.readAllLines(pidFile);
        Optional<ProcessHandle> alive = lines.isEmpty()
                ? Optional.empty()
                : ProcessHandle.of(Long.parseLong(lines.getFirst().strip()));
        if (alive.isEmpty()) {
            return Optional.empty();
        }
        return switch (look(alive.get(), data)) {
            case SERVES -> alive.map(Postmaster::new);
            case IS_SOMETHING_ELSE -> {
                Files.deleteIfExists(pidFile);
                yield Optional.empty();
            }
            case NOT_CERTAIN -> Optional.empty();
        };
    }

    private enum Look {
        SERVES,
        IS_SOMETHING_ELSE,
        NOT_CERTAIN
    }

    /** A server works in its data folder, which tells it however the folder was spelled when it was started. */
    private static Look look(ProcessHandle process, Path data) {
        Path proc = Path.of("/proc", String.valueOf(process.pid()));
        try {
            String program = Files.readString(proc.resolve("cmdline")).split("\0", -1)[0];
            return program.endsWith("/postgres") && Files.isSameFile(proc.resolve("cwd"), data)
                    ? Look.SERVES
                    : Look.IS_SOMETHING_ELSE;
        } catch (IOException goneOrOthers) {
            return Look.NOT_CERTAIN;
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
