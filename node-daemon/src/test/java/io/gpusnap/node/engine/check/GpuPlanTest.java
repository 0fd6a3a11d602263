package io.gpusnap.node.engine.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.DriverInfo;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.Manifests;
import io.gpusnap.node.store.SnapshotId;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GpuPlanTest {

    private static final DriverInfo DRIVER = new DriverInfo(13000, "simulated-1", 1, true, true, true, false);
    private static final DriverInfo WITHOUT_MAPS = new DriverInfo(12080, "simulated-1", 2, true, true, false, false);

    @Test
    void theSameGpuNeedsNoMap() {
        GpuPlan plan = plan(List.of(used(0, "GPU-0")), List.of(gpu(0, "GPU-0")), Map.of());
        assertThat(plan.refusals()).isEmpty();
        assertThat(plan.uuidPairs()).isEmpty();
        assertThat(plan.devices()).containsOnlyKeys(0);
    }

    @Test
    void anotherGpuOfTheModelIsMappedWhereTheDriverCan() {
        List<Manifest.Gpu> saved = List.of(used(0, "GPU-0"));
        List<GpuInfo> here = List.of(gpu(0, "GPU-a"), gpu(1, "GPU-b"));
        assertThat(plan(saved, here, Map.of()).uuidPairs()).containsExactly(Map.entry("GPU-0", "GPU-a"));
        assertThat(plan(saved, here, Map.of(0, "GPU-b")).uuidPairs()).containsExactly(Map.entry("GPU-0", "GPU-b"));
        assertThat(GpuPlan.of(manifest(saved), WITHOUT_MAPS, here, Map.of()).refusals())
                .singleElement()
                .satisfies(refusal -> assertThat(refusal.code()).isEqualTo(FailureCode.GPU_MISMATCH));
    }

    @Test
    void aGpuThatIsSeenAndNotUsedIsMappedTooAsSoonAsOneChanges() {
        // given a process that uses the first of two
        List<Manifest.Gpu> saved = List.of(used(0, "GPU-a"), idle(1, "GPU-b"));
        List<GpuInfo> same = List.of(gpu(0, "GPU-a"), gpu(1, "GPU-b"));
        // then where both are, nothing is mapped
        assertThat(plan(saved, same, Map.of()).uuidPairs()).isEmpty();
        // and where it takes the other one's place, the other one takes its
        GpuPlan moved = plan(saved, same, Map.of(0, "GPU-b"));
        assertThat(moved.uuidPairs()).containsExactlyInAnyOrderEntriesOf(Map.of("GPU-a", "GPU-b", "GPU-b", "GPU-a"));
        assertThat(moved.devices()).containsOnlyKeys(0);
        assertThat(moved.devices().get(0).uuid()).isEqualTo("GPU-b");
        // and on another node each has one of its own
        assertThat(plan(saved, List.of(gpu(0, "GPU-c"), gpu(1, "GPU-d"), gpu(2, "GPU-e")), Map.of(0, "GPU-d"))
                        .uuidPairs())
                .containsExactlyInAnyOrderEntriesOf(Map.of("GPU-a", "GPU-d", "GPU-b", "GPU-c"));
    }

    @Test
    void noTwoBecomeTheSame() {
        // given a second one that is the first here
        List<Manifest.Gpu> saved = List.of(used(0, "GPU-a"), used(1, "GPU-b"));
        // then it stays, and the other one takes what is left
        assertThat(plan(saved, List.of(gpu(0, "GPU-b"), gpu(1, "GPU-c")), Map.of())
                        .uuidPairs())
                .containsExactlyInAnyOrderEntriesOf(Map.of("GPU-a", "GPU-c", "GPU-b", "GPU-b"));
        assertThat(plan(saved, List.of(gpu(0, "GPU-b"), gpu(1, "GPU-c")), Map.of(0, "GPU-c", 1, "GPU-c"))
                        .refusals())
                .singleElement()
                .satisfies(refusal ->
                        assertThat(refusal.detail()).contains("GPU 1").contains("another one's"));
    }

    @Test
    void whereNothingMovesOneThatIsNotUsedNeedNotBeThere() {
        GpuPlan plan = plan(List.of(used(0, "GPU-a"), idle(1, "GPU-b")), List.of(gpu(0, "GPU-a")), Map.of());
        assertThat(plan.refusals()).isEmpty();
        assertThat(plan.uuidPairs()).isEmpty();
        assertThat(plan.devices()).containsOnlyKeys(0);
        // nor be the same
        assertThat(plan(
                                List.of(used(0, "GPU-a"), idle(1, "GPU-b")),
                                List.of(gpu(0, "GPU-a"), gpu(1, "GPU-c")),
                                Map.of())
                        .uuidPairs())
                .isEmpty();
    }

    @Test
    void aNodeWithoutAPlaceForOneThatIsNotUsedIsRefusedWhereAnotherOneMoves() {
        assertThat(plan(List.of(used(0, "GPU-a"), idle(1, "GPU-b")), List.of(gpu(0, "GPU-c")), Map.of())
                        .refusals())
                .singleElement()
                .satisfies(refusal -> {
                    assertThat(refusal.code()).isEqualTo(FailureCode.GPU_MISMATCH);
                    assertThat(refusal.detail())
                            .contains("GPU-b")
                            .contains("could open and do not use")
                            .contains("1 GPUs");
                });
    }

    @Test
    void aGpuThatIsNotThereOrOfAnotherModelIsRefused() {
        List<Manifest.Gpu> saved = List.of(used(0, "GPU-0"));
        assertThat(plan(saved, List.of(), Map.of()).refusals())
                .singleElement()
                .satisfies(refusal ->
                        assertThat(refusal.detail()).contains("Simulated H100").contains("0 GPUs"));
        assertThat(plan(saved, List.of(gpu(0, "GPU-0")), Map.of(0, "GPU-x")).refusals())
                .singleElement()
                .satisfies(refusal -> assertThat(refusal.detail()).contains("GPU-x"));
        GpuInfo other = new GpuInfo(0, "GPU-0", "Simulated H100", 1, 1, 1, "8.0", "0000:00:00.0", false, true);
        assertThat(plan(saved, List.of(other), Map.of()).refusals())
                .singleElement()
                .satisfies(
                        refusal -> assertThat(refusal.detail()).contains("8.0").contains("9.0"));
        // but for another one of the right model beside it
        assertThat(plan(saved, List.of(other, gpu(1, "GPU-1")), Map.of()).uuidPairs())
                .containsExactly(Map.entry("GPU-0", "GPU-1"));
    }

    private static GpuPlan plan(List<Manifest.Gpu> saved, List<GpuInfo> here, Map<Integer, String> remap) {
        return GpuPlan.of(manifest(saved), DRIVER, here, remap);
    }

    private static Manifest manifest(List<Manifest.Gpu> gpus) {
        return Manifests.withGpus(Manifests.of(SnapshotId.random(), List.of(ChunkRef.zero(4096))), gpus);
    }

    private static Manifest.Gpu used(int ordinal, String uuid) {
        return new Manifest.Gpu(ordinal, uuid, "Simulated H100", 8L << 30, "9.0", true);
    }

    private static Manifest.Gpu idle(int ordinal, String uuid) {
        return new Manifest.Gpu(ordinal, uuid, "Simulated H100", 8L << 30, "9.0", false);
    }

    private static GpuInfo gpu(int ordinal, String uuid) {
        return new GpuInfo(ordinal, uuid, "Simulated H100", 8L << 30, 8L << 30, 2 << 20, "9.0", "", false, true);
    }
}
