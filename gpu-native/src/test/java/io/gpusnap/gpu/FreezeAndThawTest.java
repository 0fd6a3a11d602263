package io.gpusnap.gpu;

import static io.gpusnap.gpu.SimulatedMachine.importAll;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The whole way of a workload's device memory, as the daemon goes it, but for CRIU. */
class FreezeAndThawTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private SimulatedMachine machine;
    private GpuSnapLibrary library;

    @BeforeEach
    void givenTheSimulatedMachine() throws Exception {
        machine = SimulatedMachine.get();
        library = machine.library();
    }

    @Test
    void workloadAnswersTheSameAfterTheWholeCycle() throws Exception {
        long before = machine.freeBytes();
        // Fresh device memory holds garbage, so that a byte nobody filled shows.
        try (CudaServer server = CudaServer.start(machine, Map.of("GPUSNAP_SIM_POISON", "1"));
                PinnedPool pool = library.openPool(machine.newFolder("pool").resolve("pool"), 160L << 20)) {
            String answer = server.answer("hello");
            long used = before - machine.freeBytes();
            try (GpuTarget target = library.openTarget(server.pid(), TIMEOUT)) {
                TargetStatus status = target.query();
                assertThat(status.state()).isEqualTo(TargetState.RUNNING);
                assertThat(status.refusals()).isEmpty();
                assertThat(status.managedBytes()).isBetween(50L << 20, used);

                Map<Long, MemorySegment> saved = save(target, pool);
                CompletableFuture<String> waiting = server.answerLater("hello");
                assertThat(before - machine.freeBytes()).isLessThanOrEqualTo(used - status.managedBytes());
                checkpointAndRestore(server.pid());
                assertThat(waiting).isNotDone();
                fill(target, saved);
                target.resume();

                assertThat(target.query().state()).isEqualTo(TargetState.RUNNING);
                assertThat(waiting.get()).isEqualTo(answer);
            }
            assertThat(server.answer("hello")).isEqualTo(answer);
            assertThat(before - machine.freeBytes()).isEqualTo(used);
        }
        assertThat(machine.freeBytes()).isEqualTo(before);
    }

    @Test
    void memoryThatIsMadeAndFilledAheadBecomesTheWorkloads() throws Exception {
        long before = machine.freeBytes();
        try (CudaServer server = CudaServer.start(machine, Map.of("GPUSNAP_SIM_POISON", "1"));
                PinnedPool pool = library.openPool(machine.newFolder("pool").resolve("pool"), 160L << 20);
                GpuTarget target = library.openTarget(server.pid(), TIMEOUT)) {
            String answer = server.answer("hello");
            long used = before - machine.freeBytes();
            Map<Long, MemorySegment> saved = save(target, pool);
            List<Allocation> wanted = target.allocations();
            try (AheadMemory ahead = library.ahead(wanted)) {
                assertThat(ahead.allocations()).extracting(Allocation::id).isEqualTo(ids(wanted));
                while (ahead.makeNext() > 0) {}
                fill(ahead.allocations(), saved);
                checkpointAndRestore(server.pid());
                target.giveAhead(ahead);
                target.remap();
                assertThat(target.allocations()).allMatch(Allocation::held);
            }
            target.resume();
            assertThat(server.answer("hello")).isEqualTo(answer);
            assertThat(before - machine.freeBytes()).isEqualTo(used);
        }
        assertThat(machine.freeBytes()).isEqualTo(before);
    }

    private static List<Long> ids(List<Allocation> allocations) {
        return allocations.stream().map(Allocation::id).toList();
    }

    @Test
    void losingTheConnectionWhileQuiescedOpensTheGate() throws Exception {
        try (CudaServer server = CudaServer.start(machine, Map.of())) {
            String answer = server.answer("hello");
            CompletableFuture<String> waiting;
            try (GpuTarget target = library.openTarget(server.pid(), TIMEOUT)) {
                target.quiesce(TIMEOUT);
                waiting = server.answerLater("hello");
                assertThat(target.query().state()).isEqualTo(TargetState.QUIESCED);
            }
            assertThat(waiting.get()).isEqualTo(answer);
        }
    }

    @Test
    void verbsOutOfTurnAreRefusedAndChangeNothing() throws Exception {
        try (CudaServer server = CudaServer.start(machine, Map.of());
                GpuTarget target = library.openTarget(server.pid(), TIMEOUT)) {
            assertStatus(target::release, GpuStatus.STATE);
            assertStatus(target::remap, GpuStatus.STATE);
            assertThat(target.query().state()).isEqualTo(TargetState.RUNNING);
            assertThat(server.answer("hello")).isEqualTo(server.answer("hello"));
        }
    }

    @Test
    void failureOfARemapIsTypedAndCanBeTriedAgain() throws Exception {
        try (CudaServer server = CudaServer.start(machine, Map.of());
                PinnedPool pool = library.openPool(machine.newFolder("pool").resolve("pool"), 160L << 20);
                GpuTarget target = library.openTarget(server.pid(), TIMEOUT)) {
            String answer = server.answer("hello");
            Map<Long, MemorySegment> saved = save(target, pool);
            Path rules = machine.stateDir().resolve("fail-" + server.pid());
            Files.writeString(rules, "cuMemCreate@2=2\n");

            assertStatus(target::remap, GpuStatus.NO_DEVICE_MEMORY);
            assertThat(target.query().state()).isEqualTo(TargetState.RELEASED);

            Files.delete(rules);
            fill(target, saved);
            target.resume();
            assertThat(server.answer("hello")).isEqualTo(answer);
        }
    }

    @Test
    void deathOfTheWorkloadIsTold() throws Exception {
        try (CudaServer server = CudaServer.start(machine, Map.of());
                GpuTarget target = library.openTarget(server.pid(), TIMEOUT)) {
            server.process().destroyForcibly().waitFor();

            assertStatus(target::query, GpuStatus.PEER_GONE);
            target.close();
            assertThatThrownBy(target::query).isInstanceOf(IllegalStateException.class);
        }
    }

    /** RUNNING to RELEASED; every allocation's content is in the pool afterwards. */
    private Map<Long, MemorySegment> save(GpuTarget target, PinnedPool pool) throws GpuException {
        target.quiesce(TIMEOUT);
        importAll(target);
        Map<Long, MemorySegment> saved = new HashMap<>();
        long at = 0;
        for (Allocation allocation : target.allocations()) {
            assertThat(allocation.localAddress()).isNotZero();
            MemorySegment room = pool.memory().asSlice(at, allocation.sizeBytes());
            library.mover().copy(allocation.gpuOrdinal(), Direction.DEVICE_TO_HOST, pieces(allocation, room));
            saved.put(allocation.id(), room);
            at += allocation.sizeBytes();
        }
        target.unimport();
        target.release();
        return saved;
    }

    /** RELEASED to REMAPPED, with the saved content. */
    private void fill(GpuTarget target, Map<Long, MemorySegment> saved) throws GpuException {
        target.remap();
        importAll(target);
        fill(target.allocations(), saved);
        target.unimport();
    }

    private void fill(List<Allocation> allocations, Map<Long, MemorySegment> saved) throws GpuException {
        for (Allocation allocation : allocations) {
            MemorySegment content = saved.get(allocation.id());
            assertThat(content).isNotNull();
            if (isZero(content)) {
                library.mover().fillZero(allocation.gpuOrdinal(), allocation.localAddress(), allocation.sizeBytes());
            } else {
                library.mover().copy(allocation.gpuOrdinal(), Direction.HOST_TO_DEVICE, pieces(allocation, content));
            }
        }
    }

    private void checkpointAndRestore(int pid) throws GpuException {
        ProcessCheckpoint process = library.process(pid);
        process.lock(TIMEOUT);
        assertThat(process.state()).isEqualTo(ProcessState.LOCKED);
        process.checkpoint();
        assertThat(process.state()).isEqualTo(ProcessState.CHECKPOINTED);
        process.restore(Map.of());
        process.unlock();
        assertThat(process.state()).isEqualTo(ProcessState.RUNNING);
    }

    private static List<CopyItem> pieces(Allocation allocation, MemorySegment host) {
        List<CopyItem> items = new ArrayList<>();
        for (long at = 0; at < host.byteSize(); at += PinnedPool.SLOT_BYTES) {
            long size = Math.min(PinnedPool.SLOT_BYTES, host.byteSize() - at);
            items.add(new CopyItem(allocation.localAddress() + at, host.asSlice(at, size)));
        }
        return items;
    }

    private static boolean isZero(MemorySegment content) {
        MemorySegment rest = content.asSlice(1);
        return content.get(JAVA_BYTE, 0) == 0 && rest.mismatch(content.asSlice(0, rest.byteSize())) == -1;
    }

    private static void assertStatus(ThrowingCallable call, GpuStatus status) {
        assertThatThrownBy(call)
                .asInstanceOf(InstanceOfAssertFactories.type(GpuException.class))
                .extracting(GpuException::status)
                .isEqualTo(status);
    }
}
