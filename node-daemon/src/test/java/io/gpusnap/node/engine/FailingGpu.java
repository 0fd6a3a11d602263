package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.AheadMemory;
import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.CopyItem;
import io.gpusnap.gpu.DeviceDigest;
import io.gpusnap.gpu.DeviceSpan;
import io.gpusnap.gpu.Direction;
import io.gpusnap.gpu.DriverInfo;
import io.gpusnap.gpu.FileItem;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.gpu.HeldMemory;
import io.gpusnap.gpu.ProcessState;
import io.gpusnap.gpu.RebuildableRange;
import io.gpusnap.gpu.StillThreads;
import io.gpusnap.gpu.StorageInfo;
import io.gpusnap.gpu.TargetStatus;
import io.gpusnap.node.engine.device.GpuOpening;
import io.gpusnap.node.engine.device.GpuPort;
import io.gpusnap.node.engine.device.PoolMemory;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.process.ProcFs;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;

/** A real GPU port whose verbs fail when they are told to, and whose GPUs may look like others. */
final class FailingGpu implements GpuPort {

    /** When a verb fails: before it is done, or after, as if only its answer had been lost. */
    enum Moment {
        BEFORE,
        AFTER
    }

    private final GpuPort real;
    private String verb = "";
    private Moment moment = Moment.BEFORE;
    private GpuStatus status = GpuStatus.DRIVER;
    private AtomicInteger left = new AtomicInteger();
    private final AtomicInteger passing = new AtomicInteger();
    private final AtomicBoolean spoilCopy = new AtomicBoolean();
    private volatile boolean spoilDigests;
    private final AtomicBoolean spoilRead = new AtomicBoolean();
    private UnaryOperator<GpuInfo> disguise = UnaryOperator.identity();
    private UnaryOperator<StorageInfo> storageDisguise = UnaryOperator.identity();
    private final AtomicInteger filesRead = new AtomicInteger();
    private volatile Map<String, String> lastMap = Map.of();
    private String hooked = "";
    private volatile String hanging = "";
    private Runnable hook = () -> {};
    private final Set<String> called = ConcurrentHashMap.newKeySet();
    private volatile String followed = "";
    private volatile IntConsumer sequel = pid -> {};

    FailingGpu(GpuPort real) {
        this.real = real;
    }

    /** @param times how often */
    void fail(String newVerb, Moment newMoment, int times) {
        passing.set(0);
        verb = newVerb;
        moment = newMoment;
        status = GpuStatus.DRIVER;
        left = new AtomicInteger(times);
    }

    void fail(String newVerb, Moment newMoment, int times, GpuStatus newStatus) {
        fail(newVerb, newMoment, times);
        status = newStatus;
    }

    /** Something happens just before each call of the verb, which then goes on as it would. */
    void before(String newVerb, Runnable what) {
        hooked = newVerb;
        hook = what;
    }

    /** Something happens just after each call of the verb, which did what it does, on a process. */
    void after(String newVerb, IntConsumer what) {
        followed = newVerb;
        sequel = what;
    }

    boolean wasCalled(String which) {
        return called.contains(which);
    }

    /** The next such call on a process does not come back while the process lives. */
    void hang(String newVerb) {
        hanging = newVerb;
    }

    /** Fails once, before it is done, when it has been called so many times. */
    void failAfter(String newVerb, int calls) {
        fail(newVerb, Moment.BEFORE, 1);
        passing.set(calls);
    }

    void healthy() {
        fail("", Moment.BEFORE, 0);
        spoilCopy.set(false);
        spoilDigests = false;
        spoilRead.set(false);
    }

    /** A byte of the first chunk of the next copy to the device changes before it is copied. */
    void spoilNextCopy() {
        spoilCopy.set(true);
    }

    /** The device holds something else in the place of the first file of the next read. */
    void spoilNextRead() {
        spoilRead.set(true);
    }

    boolean hasSpoilt() {
        return !spoilCopy.get() && !spoilRead.get();
    }

    /** The device holds something else after every copy. */
    void spoilEveryDigest() {
        spoilDigests = true;
    }

    boolean hasFailed() {
        return left.get() <= 0;
    }

    void disguise(UnaryOperator<GpuInfo> newDisguise) {
        disguise = newDisguise;
    }

    void disguiseStorage(UnaryOperator<StorageInfo> newDisguise) {
        storageDisguise = newDisguise;
    }

    /** Files that went straight into device memory so far. */
    int filesRead() {
        return filesRead.get();
    }

    static GpuInfo named(GpuInfo gpu, String name) {
        return new GpuInfo(
                gpu.ordinal(),
                gpu.uuid(),
                name,
                gpu.memoryBytes(),
                gpu.freeBytes(),
                gpu.granularityBytes(),
                gpu.computeCapability(),
                gpu.pciBusId(),
                gpu.migEnabled(),
                gpu.exportsPosixFd());
    }

    static GpuInfo withFreeBytes(GpuInfo gpu, long freeBytes) {
        return new GpuInfo(
                gpu.ordinal(),
                gpu.uuid(),
                gpu.name(),
                gpu.memoryBytes(),
                freeBytes,
                gpu.granularityBytes(),
                gpu.computeCapability(),
                gpu.pciBusId(),
                gpu.migEnabled(),
                gpu.exportsPosixFd());
    }

    /** @param made is given the port when the node is opened with it */
    static TestNode node(EngineSettings settings, Consumer<FailingGpu> made) throws Exception {
        return node(settings, made, new ProcFs());
    }

    /** @param proc as {@link TestNode#open(EngineSettings, UnaryOperator, ProcFs)} */
    static TestNode node(EngineSettings settings, Consumer<FailingGpu> made, ProcFs proc) throws Exception {
        return TestNode.open(
                settings,
                opening -> {
                    FailingGpu gpu = new FailingGpu(opening.gpu().orElseThrow());
                    made.accept(gpu);
                    return gpu.opening(opening);
                },
                proc);
    }

    /** The map of the last restore, from UUID to UUID. */
    Map<String, String> lastMap() {
        return lastMap;
    }

    /** An operation failed because this port did, and all that it had done was undone. */
    void requireUndone(TestNode.Ended ended, String what) {
        OperationOutcome.Failed failed = ended.failed();
        assertThat(failed.code()).as("%s: %s", what, failed).isEqualTo(FailureCode.DRIVER_FAILED);
        assertThat(failed.undoProblems()).as(what).isEmpty();
        assertThat(hasFailed()).as(what).isTrue();
        assertThat(ended.log().recall(WorkloadLost.class)).as(what).isEmpty();
    }

    /** The opening of the same node with this port in the real one's place. */
    GpuOpening opening(GpuOpening opening) {
        return new GpuOpening() {
            @Override
            public Optional<GpuPort> gpu() {
                return Optional.of(FailingGpu.this);
            }

            @Override
            public String reason() {
                return opening.reason();
            }

            @Override
            public PoolMemory pool(Path file, long sizeBytes) throws GpuException, IOException {
                PoolMemory[] opened = new PoolMemory[1];
                try {
                    return answer("pool", () -> opened[0] = opening.pool(file, sizeBytes));
                } catch (GpuException e) {
                    if (opened[0] != null) {
                        opened[0].close(); // nobody has it
                    }
                    throw e;
                }
            }
        };
    }

    private interface Call {
        void run() throws GpuException;
    }

    private interface Question<T, E extends Exception> {
        T ask() throws GpuException, E;
    }

    private void call(String name, Call call) throws GpuException {
        answer(name, () -> {
            call.run();
            return name;
        });
    }

    private void hangs(String name, int pid) {
        if (name.equals(hanging)) {
            hanging = "";
            ProcessHandle.of(pid).orElseThrow().onExit().join();
        }
    }

    private <T, E extends Exception> T answer(String name, Question<T, E> question) throws GpuException, E {
        called.add(name);
        if (name.equals(hooked)) {
            hook.run();
        }
        boolean fails = name.equals(verb) && passing.getAndDecrement() <= 0 && left.getAndDecrement() > 0;
        if (fails && moment == Moment.BEFORE) {
            throw new GpuException(status, name + " fails because a test says so");
        }
        T answer = question.ask();
        if (fails) {
            throw new GpuException(status, name + " was done and fails because a test says so");
        }
        return answer;
    }

    @Override
    public DriverInfo driver() throws GpuException {
        return answer("driver", real::driver);
    }

    @Override
    public List<GpuInfo> devices() throws GpuException {
        return answer("devices", () -> real.devices().stream().map(disguise).toList());
    }

    @Override
    public ProcessState state(int pid) throws GpuException {
        return answer("state", () -> real.state(pid));
    }

    @Override
    public void lock(int pid, Duration timeout) throws GpuException {
        call("lock", () -> real.lock(pid, timeout));
    }

    @Override
    public void checkpoint(int pid) throws GpuException {
        hangs("checkpoint", pid);
        call("checkpoint", () -> real.checkpoint(pid));
    }

    @Override
    public void restore(int pid, Map<String, String> uuidPairs) throws GpuException {
        hangs("restore", pid);
        lastMap = uuidPairs;
        call("restore", () -> real.restore(pid, uuidPairs));
        if (followed.equals("restore")) {
            sequel.accept(pid);
        }
    }

    @Override
    public StillThreads still(int pid) throws GpuException {
        return answer("still", () -> real.still(pid));
    }

    @Override
    public void unlock(int pid) throws GpuException {
        call("unlock", () -> real.unlock(pid));
    }

    @Override
    public void writeProcess(int pid, long address, MemorySegment from) throws GpuException {
        call("write-process", () -> real.writeProcess(pid, address, from));
    }

    @Override
    public TargetPort open(int pid, Duration timeout) throws GpuException {
        FailingTarget[] opened = new FailingTarget[1];
        try {
            return answer("open", () -> opened[0] = new FailingTarget(real.open(pid, timeout)));
        } catch (GpuException e) {
            if (opened[0] != null) {
                opened[0].close(); // nobody has it
            }
            throw e;
        }
    }

    @Override
    public AheadMemory ahead(List<Allocation> allocations) throws GpuException {
        return answer("ahead", () -> real.ahead(allocations));
    }

    @Override
    public void copy(int gpuOrdinal, Direction direction, List<CopyItem> items) throws GpuException {
        call("copy", () -> real.copy(gpuOrdinal, direction, items));
    }

    @Override
    public List<DeviceDigest> copyAndDigest(int gpuOrdinal, List<CopyItem> items) throws GpuException {
        return answer("copy", () -> {
            if (spoilCopy.compareAndSet(true, false)) {
                MemorySegment host = items.getFirst().host();
                host.set(ValueLayout.JAVA_BYTE, 4097, (byte) ~host.get(ValueLayout.JAVA_BYTE, 4097));
            }
            List<DeviceDigest> digests = real.copyAndDigest(gpuOrdinal, items);
            return spoilDigests
                    ? digests.stream()
                            .map(digest -> new DeviceDigest("ab".repeat(32), false))
                            .toList()
                    : digests;
        });
    }

    @Override
    public List<DeviceDigest> digest(int gpuOrdinal, List<DeviceSpan> spans) throws GpuException {
        return answer("digest", () -> real.digest(gpuOrdinal, spans));
    }

    @Override
    public StorageInfo storage(boolean compatibility, Optional<Path> cufile, Path folder) throws GpuException {
        return answer("storage", () -> storageDisguise.apply(real.storage(compatibility, cufile, folder)));
    }

    @Override
    public List<DeviceDigest> readAndDigest(int gpuOrdinal, List<FileItem> items) throws GpuException {
        return answer("read", () -> {
            List<DeviceDigest> digests = real.readAndDigest(gpuOrdinal, items);
            filesRead.addAndGet(items.size());
            if (!spoilRead.compareAndSet(true, false)) {
                return digests;
            }
            List<DeviceDigest> spoilt = new ArrayList<>(digests);
            spoilt.set(0, new DeviceDigest("ab".repeat(32), false));
            return spoilt;
        });
    }

    @Override
    public void fillZero(int gpuOrdinal, long deviceAddress, long sizeBytes) throws GpuException {
        call("fill-zero", () -> real.fillZero(gpuOrdinal, deviceAddress, sizeBytes));
    }

    private final class FailingTarget implements TargetPort {

        private final TargetPort target;

        FailingTarget(TargetPort target) {
            this.target = target;
        }

        @Override
        public TargetStatus status() throws GpuException {
            return answer("status", target::status);
        }

        @Override
        public void quiesce(Duration timeout) throws GpuException {
            call("quiesce", () -> target.quiesce(timeout));
        }

        @Override
        public List<Allocation> allocations() throws GpuException {
            return answer("allocations", target::allocations);
        }

        @Override
        public List<RebuildableRange> hints() throws GpuException {
            return answer("hints", target::hints);
        }

        @Override
        public Set<Integer> gpus() throws GpuException {
            return answer("gpus", target::gpus);
        }

        @Override
        public long importNext() throws GpuException {
            long[] left = new long[1];
            call("import", () -> left[0] = target.importNext());
            return left[0];
        }

        @Override
        public void unimportMemory() throws GpuException {
            call("unimport", target::unimportMemory);
        }

        @Override
        public List<HeldMemory> hold() throws GpuException {
            return answer("hold", target::hold);
        }

        @Override
        public void giveBack(List<HeldMemory> held) throws GpuException {
            call("give-back", () -> target.giveBack(held));
        }

        @Override
        public void giveAhead(List<AheadMemory> ahead) throws GpuException {
            call("give-ahead", () -> target.giveAhead(ahead));
        }

        @Override
        public void release() throws GpuException {
            call("release", target::release);
        }

        @Override
        public void remap() throws GpuException {
            call("remap", target::remap);
        }

        @Override
        public void resume() throws GpuException {
            call("resume", target::resume);
        }

        @Override
        public void close() {
            target.close();
        }
    }
}
