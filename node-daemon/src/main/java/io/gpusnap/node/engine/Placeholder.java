package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.PlaceholderState;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A container's gpusnap-placeholder: tells it what a thaw is at, and waits until it has understood. */
final class Placeholder {

    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(10);
    private static final long POLL_MILLIS = 5;

    private final ProcFs proc;
    private final Path enter;
    private final ProcessId init;

    /** @param enter gpusnap-enter */
    Placeholder(ProcFs proc, Path enter, ProcessId init) {
        this.proc = proc;
        this.enter = enter;
        this.init = init;
    }

    /** Empty when it is gone, or is no placeholder. */
    Optional<PlaceholderState> state() {
        return PlaceholderState.of(proc, init);
    }

    /**
     * From here on it does not start cold by itself, for as long as its patience with a claim lasts. Again: for as long anew.
     *
     * @throws StageException CONTAINER_NOT_READY when it does not wait for a thaw
     */
    void claim() throws StageException, InterruptedException {
        PlaceholderState now = state().orElse(PlaceholderState.RUNNING);
        if (now == PlaceholderState.RUNNING) {
            throw notReady("it does not wait for a thaw (any more)");
        }
        tell("claim");
        require(PlaceholderState.CLAIMED);
    }

    /** The process is its workload. Harmless when it is that already. */
    void serve(int ownPid) throws StageException, InterruptedException {
        tell("serve", Integer.toString(ownPid));
        require(PlaceholderState.RUNNING);
    }

    /** It starts the container's own command. Harmless when it has, or is gone. */
    void cold() throws StageException, InterruptedException {
        Optional<PlaceholderState> now = state();
        if (now.isEmpty() || now.get() == PlaceholderState.RUNNING) {
            return;
        }
        tell("cold");
        require(PlaceholderState.RUNNING);
    }

    private void require(PlaceholderState wanted) throws StageException, InterruptedException {
        long deadline = System.nanoTime() + ANSWER_LIMIT.toNanos();
        while (true) {
            Optional<PlaceholderState> now = state();
            if (now.filter(wanted::equals).isPresent()) {
                return;
            }
            if (now.isEmpty()) {
                throw notReady("it has ended");
            }
            if (System.nanoTime() > deadline) {
                throw notReady("it is " + now.get() + " and was told to be " + wanted);
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    private StageException notReady(String why) {
        return new StageException(
                FailureCode.CONTAINER_NOT_READY, "the container's first process, %s: %s".formatted(init, why));
    }

    private void tell(String... words) throws StageException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(enter.toString(), "tell", Integer.toString(init.pid()), Long.toString(init.startTimeTicks())));
        command.addAll(List.of(words));
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(ANSWER_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
            } else if (process.exitValue() != 0) {
                throw notReady(said.strip());
            }
        } catch (IOException e) {
            throw new StageException(FailureCode.CAPABILITY_MISSING, enter + " cannot be run: " + e.getMessage(), e);
        }
    }
}
