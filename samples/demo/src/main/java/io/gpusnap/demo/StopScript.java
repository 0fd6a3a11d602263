package io.gpusnap.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** {@code build/demo/stop.sh}: ends what {@code KEEP=1} left, and nothing else. */
final class StopScript {

    private final Path file;

    StopScript(Path folder) {
        this.file = folder.resolve("stop.sh");
    }

    /** @param processes in the order in which they are to be ended */
    void write(List<Started> processes, List<Path> folders) {
        StringBuilder script = new StringBuilder("""
                #!/bin/sh
                # Ends what `make demo KEEP=1` left running. A pid that belongs to another process by now is left alone.
                end() {
                    name=$1 pid=$2 ticks=$3
                    [ "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d ' ' -f 20)" = "$ticks" ] || return 0
                    kill "$pid"
                    for _ in $(seq 300); do
                        case $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c 1) in '' | Z) return 0 ;; esac
                        sleep 0.1
                    done
                    echo "$name (pid $pid) did not end, killing it"
                    kill -9 "$pid"
                }
                """);
        processes.forEach(process ->
                script.append("end '%s' %d %d%n".formatted(process.name(), process.pid(), process.startTimeTicks())));
        folders.forEach(folder -> script.append("rm -rf '%s'%n".formatted(folder)));
        script.append("rm -f '%s'%n".formatted(file));
        try {
            Files.writeString(file, script);
        } catch (IOException e) {
            throw new DemoFailure("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    boolean exists() {
        return Files.exists(file);
    }

    /** Ends what an earlier demo left. */
    void run() {
        try {
            Process process =
                    new ProcessBuilder("sh", file.toString()).inheritIO().start();
            if (process.waitFor() != 0) {
                throw new DemoFailure(
                        file + " ended " + process.exitValue() + ": an earlier demo may still be running");
            }
        } catch (IOException e) {
            throw new DemoFailure("cannot run " + file + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DemoFailure("interrupted", e);
        }
    }

    Path file() {
        return file;
    }
}
