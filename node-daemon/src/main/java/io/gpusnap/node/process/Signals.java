package io.gpusnap.node.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.TimeUnit;

/**
 * Sends signals. SIGKILL goes through {@link ProcessHandle}, which compares start times by itself; Java has no other
 * signals, so those go through the shell's own kill.
 */
final class Signals {

    private Signals() {}

    static void kill(ProcessId process) {
        ProcessHandle.of(process.pid())
                .filter(handle -> new ProcFs()
                        .stat(process.pid())
                        .filter(stat -> stat.startTimeTicks() == process.startTimeTicks())
                        .isPresent())
                .ifPresent(ProcessHandle::destroyForcibly);
    }

    /** @param name without SIG. A process that is gone is no failure. */
    static void send(ProcessId process, String name) {
        try {
            Process shell = new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + process.pid())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!shell.waitFor(10, TimeUnit.SECONDS)) {
                shell.destroyForcibly();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot signal " + process, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
