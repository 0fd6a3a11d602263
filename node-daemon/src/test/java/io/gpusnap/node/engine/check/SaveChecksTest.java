package io.gpusnap.node.engine.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.gpu.TargetState;
import io.gpusnap.gpu.TargetStatus;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import java.io.BufferedReader;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SaveChecksTest {

    private static final long IO_URING_SETUP = 425;

    @TempDir
    Path folder;

    private final SaveChecks checks = new SaveChecks(new ProcFs());

    @Test
    void anIoUringIsRefusedWithItsDescriptor() throws Throwable {
        // given a ring of this very process
        ProcessId self = new ProcFs()
                .stat((int) ProcessHandle.current().pid())
                .orElseThrow()
                .id();
        Linker linker = Linker.nativeLinker();
        MethodHandle syscall = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("syscall"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS),
                Linker.Option.firstVariadicArg(1));
        MethodHandle close = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("close"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment parameters = arena.allocate(256);
            long ring = (long) syscall.invokeExact(IO_URING_SETUP, 4L, parameters);
            Assumptions.assumeTrue(ring >= 0, "this kernel gives no io_uring");
            try {
                // when, then
                assertThat(checks.process(List.of(self))).anySatisfy(refusal -> {
                    assertThat(refusal.code()).isEqualTo(FailureCode.WORKLOAD_UNSUPPORTED);
                    assertThat(refusal.detail()).contains("fd " + ring).contains("io_uring");
                });
            } finally {
                int closed = (int) close.invokeExact((int) ring);
                assertThat(closed).isZero();
            }
        }
        assertThat(checks.process(List.of(self)))
                .noneMatch(refusal -> refusal.detail().contains("io_uring"));
    }

    @Test
    void aProcessOfASessionLedFromOutsideOfThePidNamespaceIsRefused() throws Exception {
        // given a PID namespace of its own whose first process leads no session
        Process outside = new ProcessBuilder(
                        "unshare",
                        "--pid",
                        "--fork",
                        "--kill-child",
                        "--mount-proc",
                        "sh",
                        "-c",
                        "cat /proc/1/stat; read end")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader output = outside.inputReader()) {
            String stat = output.readLine();
            Path first = Files.createDirectories(folder.resolve("1"));
            Files.writeString(first.resolve("stat"), stat);
            Files.createDirectories(first.resolve("fd"));
            ProcFs inside = ProcFs.at(folder);
            // when, then
            assertThat(new SaveChecks(inside)
                            .process(List.of(inside.stat(1).orElseThrow().id())))
                    .extracting(Refusal::detail)
                    .singleElement()
                    .asString()
                    .contains("setsid");
        } finally {
            outside.destroy();
        }
    }

    @Test
    void everyReasonOfThePreloadIsTold() {
        Set<io.gpusnap.gpu.Refusal> all = EnumSet.allOf(io.gpusnap.gpu.Refusal.class);
        List<Refusal> refusals = checks.device(status(TargetState.RUNNING, all), List.of());
        assertThat(refusals).hasSize(all.size());
        assertThat(refusals).extracting(Refusal::detail).doesNotHaveDuplicates();
        assertThat(refusals).allMatch(refusal -> refusal.code() == FailureCode.WORKLOAD_UNSUPPORTED);
    }

    @Test
    void whatTheApplicationMayEndBeforeTheSaveIsNotRefusedBeforehand() {
        TargetStatus status = new TargetStatus(
                TargetState.RUNNING,
                EnumSet.of(io.gpusnap.gpu.Refusal.LEGACY_IPC, io.gpusnap.gpu.Refusal.MPS),
                EnumSet.of(io.gpusnap.gpu.Refusal.LEGACY_IPC, io.gpusnap.gpu.Refusal.MULTICAST),
                1,
                1,
                1,
                0,
                "0.1.0");
        assertThat(checks.device(status, List.of()))
                .extracting(Refusal::detail)
                .singleElement()
                .asString()
                .contains("MPS");
    }

    @Test
    void aCommunicatorOfNcclIsKnownByItsMemoryEvenIfThatHasNoNameAnyMore() throws Exception {
        Path first = Files.createDirectories(folder.resolve("7"));
        Files.writeString(first.resolve("stat"), "7 (rank) S 1 7 7 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0");
        Files.writeString(first.resolve("maps"), """
                7f0000000000-7f0000200000 rw-s 00000000 00:18 17 /dev/shm/other
                7f0000200000-7f0000a00000 rw-s 00000000 00:18 18 /dev/shm/nccl-AbCdEf (deleted)
                """);
        ProcFs inside = ProcFs.at(folder);
        assertThat(new SaveChecks(inside)
                        .communicators(List.of(inside.stat(7).orElseThrow().id())))
                .singleElement()
                .satisfies(refusal -> {
                    assertThat(refusal.code()).isEqualTo(FailureCode.WORKLOAD_UNSUPPORTED);
                    assertThat(refusal.detail()).contains("nccl-AbCdEf").contains("quiesce callback");
                });
    }

    @ParameterizedTest
    @CsvSource({"1, true", "12, true", "0, false"})
    void aCommunicatorWithinOneProcessIsKnownByTheSocketsOfItsRanks(int rank, boolean ofSeveral) throws Exception {
        // given: a first rank is all there is where one process has one GPU
        Path name = Path.of(
                "/tmp/nccl-socket-%d-%x".formatted(rank, ProcessHandle.current().pid()));
        ProcFs proc = new ProcFs();
        List<ProcessId> self = List.of(
                proc.stat((int) ProcessHandle.current().pid()).orElseThrow().id());
        try (ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.bind(UnixDomainSocketAddress.of(name));
            // when
            List<Refusal> refusals = new SaveChecks(proc).communicators(self);
            // then
            assertThat(refusals).hasSize(ofSeveral ? 1 : 0).allSatisfy(refusal -> {
                assertThat(refusal.code()).isEqualTo(FailureCode.WORKLOAD_UNSUPPORTED);
                assertThat(refusal.detail()).contains(name.toString()).contains("quiesce callback");
            });
        } finally {
            Files.deleteIfExists(name);
        }
    }

    @Test
    void anAbstractSocketOfARankCountsToo() throws Exception {
        Path process = Files.createDirectories(folder.resolve("7"));
        Files.writeString(process.resolve("stat"), "7 (ranks) S 1 7 7 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0");
        Files.createSymbolicLink(Files.createDirectories(process.resolve("fd")).resolve("3"), Path.of("socket:[77]"));
        Files.writeString(Files.createDirectories(process.resolve("net")).resolve("unix"), """
                Num       RefCount Protocol Flags    Type St Inode Path
                0000000000000000: 00000002 00000000 00000000 0002 01 76 @tmp/nccl-socket-1-aaa@@@
                0000000000000000: 00000002 00000000 00000000 0002 01 77 @tmp/nccl-socket-1-bbb@@@
                """);
        ProcFs inside = ProcFs.at(folder);
        assertThat(new SaveChecks(inside)
                        .communicators(List.of(inside.stat(7).orElseThrow().id())))
                .extracting(Refusal::detail)
                .singleElement()
                .asString()
                .contains("(@tmp/nccl-socket-1-bbb is bound)");
    }

    @Test
    void aFrozenWorkloadAndAGpuInMigModeAreRefused() {
        GpuInfo mig = new GpuInfo(0, "GPU-0", "H100 MIG 1g", 1, 1, 1, "9.0", "0000:00:00.0", true, true);
        assertThat(checks.device(status(TargetState.RELEASED, Set.of()), List.of(mig)))
                .extracting(Refusal::detail)
                .anyMatch(detail -> detail.contains("RELEASED"))
                .anyMatch(detail -> detail.contains("MIG"));
        assertThat(checks.device(status(TargetState.RUNNING, Set.of()), List.of()))
                .isEmpty();
    }

    private static TargetStatus status(TargetState state, Set<io.gpusnap.gpu.Refusal> refusals) {
        return new TargetStatus(state, refusals, Set.of(), 1, 1, 1, 0, "0.1.0");
    }
}
