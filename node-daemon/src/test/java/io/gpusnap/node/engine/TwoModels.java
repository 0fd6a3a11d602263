package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Two servers on one simulated GPU that has room for one of them; the second runs, the first waits. */
final class TwoModels implements AutoCloseable {

    static final long VRAM_BYTES = 144L << 20;
    private static final String PROMPT = "warm";

    private final Path folder;
    private final long poolBytes;
    private final FailingGpu[] gpu = new FailingGpu[1];
    private final Map<TestWorkload, String> answers = new HashMap<>();
    private final Map<TestWorkload, SnapshotId> frozen = new HashMap<>();
    private TestNode node;
    private TestWorkload first;
    private TestWorkload second;

    private TwoModels(Path folder, long poolBytes) {
        this.folder = folder;
        this.poolBytes = poolBytes;
    }

    static TwoModels start(Path folder, SuspendDepth depth) throws Exception {
        return start(folder, depth, TestNode.POOL_BYTES);
    }

    static TwoModels start(Path folder, SuspendDepth depth, long poolBytes) throws Exception {
        TwoModels models = new TwoModels(folder, poolBytes);
        try {
            models.openNode();
            models.first = models.workload("first");
            models.suspend(models.first, depth);
            models.second = models.workload("second");
        } catch (Exception | AssertionError e) {
            models.close();
            throw e;
        }
        return models;
    }

    private TestWorkload workload(String name) throws Exception {
        return workload(name, VRAM_BYTES);
    }

    /** One more. For it the GPU has {@code vramBytes}, so it may find room where the others find none. */
    TestWorkload workload(String name, long vramBytes) throws Exception {
        TestWorkload workload = TestWorkload.start(
                folder.resolve(name),
                Map.of("GPUSNAP_SIM_VRAM_BYTES", Long.toString(vramBytes), "GPUSNAP_WORKLOAD", name),
                List.of());
        workload.answer(name);
        answers.put(workload, workload.answer(PROMPT));
        return workload;
    }

    private void suspend(TestWorkload workload, SuspendDepth depth) throws Exception {
        SnapshotId snapshot = SnapshotId.random();
        node.suspend(depth, snapshot, workload.process(), StageListener.NONE).succeeded();
        frozen.put(workload, snapshot);
    }

    void openNode() throws Exception {
        node = FailingGpu.node(TestNode.settings(folder, poolBytes), made -> {
            gpu[0] = made;
            gpu[0].disguise(TwoModels::small);
        });
    }

    /** As the servers have it. */
    static GpuInfo small(GpuInfo device) {
        long usedBytes = device.memoryBytes() - device.freeBytes();
        return FailingGpu.withFreeBytes(device, Math.max(0, VRAM_BYTES - usedBytes));
    }

    void closeNode() {
        node.close();
    }

    TestNode node() {
        return node;
    }

    FailingGpu gpu() {
        return gpu[0];
    }

    TestWorkload first() {
        return first;
    }

    TestWorkload second() {
        return second;
    }

    SnapshotId frozenAs(TestWorkload workload) {
        return frozen.get(workload);
    }

    /** Back to one, with the other as the only candidate; not yet run. */
    SwitchRequest request(TestWorkload to, SwitchRequest.Policy policy) {
        TestWorkload other = to == first ? second : first;
        return request(frozen.get(to), policy, List.of(other.process()));
    }

    static SwitchRequest request(SnapshotId to, SwitchRequest.Policy policy, List<ProcessId> candidates) {
        return new SwitchRequest(
                OperationId.random(),
                to,
                Optional.empty(),
                Optional.empty(),
                policy,
                candidates.stream()
                        .map(process -> new SwitchRequest.Candidate(
                                process, SnapshotId.random(), Map.of("image", "test/server:1")))
                        .toList());
    }

    /** Runs it, and notes what the other is frozen as now. */
    TestNode.Ended switchTo(TestWorkload to) throws Exception {
        SwitchRequest request = request(to, SwitchRequest.Policy.EVICT_IF_NEEDED);
        TestNode.Ended ended = node.switchTo(request, StageListener.NONE).succeeded();
        switched(to, request);
        return ended;
    }

    void switched(TestWorkload to, SwitchRequest request) {
        frozen.remove(to);
        frozen.put(to == first ? second : first, request.candidates().getFirst().snapshot());
    }

    void assertAnswers(TestWorkload workload, String description) throws Exception {
        assertThat(workload.answer(PROMPT)).as(description).isEqualTo(answers.get(workload));
    }

    /** Frozen, and known to be. */
    void assertWaits(TestWorkload workload, String description) throws Exception {
        assertThat(workload.isAlive()).as(description).isTrue();
        assertThat(node.engines().workloads())
                .as(description)
                .filteredOn(info -> info.process().equals(workload.process()))
                .singleElement()
                .satisfies(info -> {
                    assertThat(info.state()).isEqualTo(WorkloadInfo.State.SUSPENDED);
                    assertThat(info.suspendedAs()).contains(frozen.get(workload));
                });
    }

    @Override
    public void close() throws Exception {
        for (TestWorkload workload : answers.keySet()) {
            workload.close();
        }
        if (node != null) {
            node.close();
        }
        TestNode.cleanUp(folder);
    }
}
