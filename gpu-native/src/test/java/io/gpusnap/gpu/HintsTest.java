package io.gpusnap.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an application says about itself, as the daemon hears it. The application is the contract suite's. */
class HintsTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final Path PROGRAM = SimulatedMachine.LIBRARY.resolveSibling("../bin/gpusnap-workload");

    private SimulatedMachine machine;
    private Process workload;
    private BufferedReader answers;

    @BeforeEach
    void givenAWorkloadWithTheDriverStarted() throws Exception {
        machine = SimulatedMachine.get();
        assumeTrue(Files.exists(PROGRAM), "not built: " + PROGRAM + " (scripts/build-native.sh build)");
        ProcessBuilder builder = new ProcessBuilder(PROGRAM.toString()).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment()
                .put("LD_PRELOAD", SimulatedMachine.PRELOAD.toAbsolutePath().toString());
        builder.environment()
                .put(
                        "LD_LIBRARY_PATH",
                        SimulatedMachine.DRIVER.toAbsolutePath().getParent().toString());
        builder.environment()
                .put("GPUSNAP_SOCKET_DIR", machine.newFolder("sockets").toString());
        builder.environment().put("GPUSNAP_SIM_STATE_DIR", machine.stateDir().toString());
        builder.environment().put("GPUSNAP_SIM_VRAM_BYTES", Long.toString(SimulatedMachine.VRAM_BYTES));
        builder.environment().put("GPUSNAP_SIM_GPUS", "2");
        workload = builder.start();
        answers = new BufferedReader(new InputStreamReader(workload.getInputStream(), StandardCharsets.UTF_8));
        tell("init");
    }

    @AfterEach
    void endTheWorkload() throws InterruptedException {
        if (workload != null) {
            workload.destroyForcibly().waitFor();
        }
    }

    @Test
    void rebuildableRangesAreToldWithTheirPlaceInTheAllocation() throws Exception {
        try (GpuTarget target = target()) {
            assertThat(target.hints()).isEmpty();

            tell("alloc dlsym 20971520");
            tell("hint 0 4194304 8388608 kv-cache");
            tell("hint 0 0 4096 scratch");

            Allocation allocation = target.allocations().getFirst();
            assertThat(target.hints())
                    .extracting(
                            RebuildableRange::allocationId,
                            RebuildableRange::offsetBytes,
                            RebuildableRange::sizeBytes,
                            RebuildableRange::address,
                            RebuildableRange::tag)
                    .containsExactly(
                            tuple(allocation.id(), 0L, 4096L, allocation.address(), "scratch"),
                            tuple(allocation.id(), 4L << 20, 8L << 20, allocation.address() + (4L << 20), "kv-cache"));
        }
    }

    @Test
    void refusalOfACallbackIsTypedAndHasItsReason() throws Exception {
        tell("callbacks scheduler refuse");
        try (GpuTarget target = target()) {
            assertThatThrownBy(() -> target.quiesce(TIMEOUT))
                    .hasMessageContaining("scheduler is busy")
                    .asInstanceOf(InstanceOfAssertFactories.type(GpuException.class))
                    .extracting(GpuException::status)
                    .isEqualTo(GpuStatus.REFUSED);
            assertThat(target.query().state()).isEqualTo(TargetState.RUNNING);
        }
    }

    @Test
    void othersAreAnsweredWhileACallbackRuns() throws Exception {
        tell("callbacks scheduler hang");
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
                GpuTarget daemon = target();
                GpuTarget other = target()) {
            Future<?> quiesce = threads.submit(() -> {
                daemon.quiesce(TIMEOUT);
                return null;
            });
            while (!tell("events").contains("quiesce:scheduler")) {
                Thread.onSpinWait();
            }

            assertThat(other.query().state()).isEqualTo(TargetState.RUNNING);
            assertThat(quiesce).isNotDone();

            tell("callback-let-go scheduler");
            quiesce.get();
            assertThat(other.query().state()).isEqualTo(TargetState.QUIESCED);
            daemon.resume();
        }
    }

    private GpuTarget target() throws GpuException {
        return machine.library().openTarget(Math.toIntExact(workload.pid()), TIMEOUT);
    }

    private String tell(String command) {
        try {
            workload.getOutputStream().write((command + "\n").getBytes(StandardCharsets.UTF_8));
            workload.getOutputStream().flush();
            String answer = answers.readLine();
            assertThat(answer).as(command).startsWith("ok");
            return answer;
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }
}
