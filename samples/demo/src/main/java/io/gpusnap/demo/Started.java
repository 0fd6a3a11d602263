package io.gpusnap.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A process that this demo answers for, also one that a daemon restored for it. Its start time tells it from a later
 * process with the same pid.
 *
 * @param startTimeTicks field 22 of {@code /proc/<pid>/stat}
 */
record Started(String name, long pid, long startTimeTicks, Path log) {

    static Started of(String name, long pid, Path log) {
        return new Started(
                name,
                pid,
                startTimeTicks(pid).orElseThrow(() -> new DemoFailure(name + " ended at once:\n" + tail(log))),
                log);
    }

    boolean alive() {
        return startTimeTicks(pid).filter(ticks -> ticks == startTimeTicks).isPresent();
    }

    void requireAlive() {
        if (!alive()) {
            throw new DemoFailure(name + " has ended; the end of " + log + ":\n" + tail(log));
        }
    }

    /** Asks politely first, so that databases and caches close; returns when it is gone. */
    void stop(boolean politely, int seconds) {
        if (alive() && politely) {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
            awaitEnd(seconds);
        }
        if (alive()) {
            ProcessHandle.of(pid).ifPresent(handle -> {
                handle.descendants().forEach(ProcessHandle::destroyForcibly);
                handle.destroyForcibly();
            });
            awaitEnd(seconds);
        }
    }

    /** Whether it has ended within the time. */
    boolean awaitEnd(int seconds) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (alive() && System.nanoTime() < deadline) {
            Pause.millis(10);
        }
        return !alive();
    }

    /** Empty for a process that does not exist or is a zombie: it holds nothing any more. */
    static Optional<Long> startTimeTicks(long pid) {
        String stat;
        try {
            stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
        } catch (IOException e) {
            return Optional.empty();
        }
        // The second field, a file name in parentheses, may hold spaces and parentheses.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        boolean dead = fields[0].equals("Z") || fields[0].equals("X");
        return dead ? Optional.empty() : Optional.of(Long.parseLong(fields[19]));
    }

    static String tail(Path log) {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 15), lines.size()));
        } catch (IOException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }
}
