package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.gpusnap.gpu.Direction;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.engine.device.GpuOpening;
import io.gpusnap.node.engine.device.GpuPort;
import io.gpusnap.node.engine.device.TargetPort;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tests of failures can make every call on GPU and preload fail, also one that is added later. */
class FailingGpuIT {

    @TempDir
    Path folder;

    @FunctionalInterface
    private interface Call {
        void make() throws Exception;
    }

    private record Verb(String name, Call call) {}

    private static Map<String, Verb> verbs(GpuOpening opening, GpuPort gpu, TargetPort target, int pid, Path folder) {
        Map<String, Verb> verbs = new TreeMap<>();
        verbs.put("GpuOpening.pool", new Verb("pool", () -> opening.pool(folder.resolve("pool"), 4 << 20)));
        verbs.put("GpuPort.driver", new Verb("driver", gpu::driver));
        verbs.put("GpuPort.devices", new Verb("devices", gpu::devices));
        verbs.put("GpuPort.state", new Verb("state", () -> gpu.state(pid)));
        verbs.put("GpuPort.lock", new Verb("lock", () -> gpu.lock(pid, Duration.ofSeconds(1))));
        verbs.put("GpuPort.checkpoint", new Verb("checkpoint", () -> gpu.checkpoint(pid)));
        verbs.put("GpuPort.restore", new Verb("restore", () -> gpu.restore(pid, Map.of())));
        verbs.put("GpuPort.still", new Verb("still", () -> gpu.still(pid)));
        verbs.put("GpuPort.unlock", new Verb("unlock", () -> gpu.unlock(pid)));
        verbs.put(
                "GpuPort.writeProcess",
                new Verb("write-process", () -> gpu.writeProcess(pid, 4096, MemorySegment.NULL)));
        verbs.put("GpuPort.open", new Verb("open", () -> gpu.open(pid, Duration.ofSeconds(1))));
        verbs.put("GpuPort.copy", new Verb("copy", () -> gpu.copy(0, Direction.DEVICE_TO_HOST, List.of())));
        verbs.put("GpuPort.copyAndDigest", new Verb("copy", () -> gpu.copyAndDigest(0, List.of())));
        verbs.put("GpuPort.digest", new Verb("digest", () -> gpu.digest(0, List.of())));
        verbs.put("GpuPort.storage", new Verb("storage", () -> gpu.storage(false, Optional.empty(), folder)));
        verbs.put("GpuPort.readAndDigest", new Verb("read", () -> gpu.readAndDigest(0, List.of())));
        verbs.put("GpuPort.fillZero", new Verb("fill-zero", () -> gpu.fillZero(0, 4096, 0)));
        verbs.put("GpuPort.ahead", new Verb("ahead", () -> gpu.ahead(List.of())));
        verbs.put("TargetPort.status", new Verb("status", target::status));
        verbs.put("TargetPort.quiesce", new Verb("quiesce", () -> target.quiesce(Duration.ofSeconds(1))));
        verbs.put("TargetPort.allocations", new Verb("allocations", target::allocations));
        verbs.put("TargetPort.hints", new Verb("hints", target::hints));
        verbs.put("TargetPort.gpus", new Verb("gpus", target::gpus));
        verbs.put("TargetPort.importNext", new Verb("import", target::importNext));
        verbs.put("TargetPort.unimportMemory", new Verb("unimport", target::unimportMemory));
        verbs.put("TargetPort.hold", new Verb("hold", target::hold));
        verbs.put("TargetPort.giveBack", new Verb("give-back", () -> target.giveBack(List.of())));
        verbs.put("TargetPort.giveAhead", new Verb("give-ahead", () -> target.giveAhead(List.of())));
        verbs.put("TargetPort.release", new Verb("release", target::release));
        verbs.put("TargetPort.remap", new Verb("remap", target::remap));
        verbs.put("TargetPort.resume", new Verb("resume", target::resume));
        return verbs;
    }

    private static Set<String> callsOfThePorts() {
        return new ClassFileImporter()
                .importClasses(GpuOpening.class, GpuPort.class, TargetPort.class).stream()
                        .flatMap(port -> port.getMethods().stream())
                        .filter(method -> method.getThrowsClause().containsType(GpuException.class))
                        .map(FailingGpuIT::named)
                        .collect(Collectors.toSet());
    }

    private static String named(JavaMethod method) {
        return method.getOwner().getSimpleName() + "." + method.getName();
    }

    @Test
    void everyCallOfThePortsFailsWhenItIsToldTo() throws Exception {
        TestNatives.require();
        // given
        GpuOpening real = GpuOpening.of(TestNatives.folder(), Optional.of(TestNatives.simulatedDriver()));
        FailingGpu gpu = new FailingGpu(real.gpu().orElseThrow());
        try (TestWorkload workload = TestWorkload.start(folder.resolve("workload"));
                TargetPort target = gpu.open(workload.process().pid(), Duration.ofSeconds(10))) {
            Map<String, Verb> verbs =
                    verbs(gpu.opening(real), gpu, target, workload.process().pid(), folder);
            // then none is forgotten
            assertThat(verbs.keySet()).isEqualTo(callsOfThePorts());
            for (Map.Entry<String, Verb> entry : verbs.entrySet()) {
                Verb verb = entry.getValue();
                // when
                gpu.fail(verb.name(), FailingGpu.Moment.BEFORE, 1);
                // then
                assertThatThrownBy(verb.call()::make)
                        .as(entry.getKey())
                        .isInstanceOf(GpuException.class)
                        .hasMessage(verb.name() + " fails because a test says so");
            }
        }
    }
}
