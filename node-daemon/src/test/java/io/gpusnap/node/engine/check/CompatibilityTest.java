package io.gpusnap.node.engine.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.DriverInfo;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.process.HostFacts;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.Manifests;
import io.gpusnap.node.store.SnapshotId;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The manifest of {@link Manifests}: one "Simulated H100" GPU-0 of capability 9.0, amd64, kernel 6.18.44, avx2 sse4_2. */
class CompatibilityTest {

    private static final DriverInfo DRIVER = new DriverInfo(13000, "simulated-1", 1, true, true, true, false);
    private final Manifest manifest = Manifests.of(SnapshotId.random(), List.of(ChunkRef.zero(4096)));

    @Test
    void theSameHostFits() {
        assertThat(host("amd64", "6.18.44", "avx2", "sse4_2")).isEmpty();
        assertThat(host("amd64", "6.1.0", "avx2", "avx512f", "sse4_2")).isEmpty();
    }

    @Test
    void anotherArchitectureKernelOrProcessorIsNamedOnBothSides() {
        assertThat(host("aarch64", "6.18.44", "avx2", "sse4_2"))
                .singleElement()
                .satisfies(refusal ->
                        assertThat(refusal.detail()).contains("amd64").contains("aarch64"));
        assertThat(host("amd64", "5.15.0", "avx2", "sse4_2"))
                .singleElement()
                .satisfies(refusal ->
                        assertThat(refusal.detail()).contains("6.18.44").contains("5.15.0"));
        assertThat(host("amd64", "6.18.44", "sse4_2")).singleElement().satisfies(refusal -> {
            assertThat(refusal.code()).isEqualTo(FailureCode.INCOMPATIBLE);
            assertThat(refusal.detail()).contains("avx2").contains("Some CPU").contains("This CPU");
        });
    }

    @Test
    void anotherDriverIsNamedOnBothSides() {
        assertThat(Compatibility.driver(manifest.compatibility(), DRIVER)).isEmpty();
        assertThat(Compatibility.driver(
                        manifest.compatibility(), new DriverInfo(13000, "580.1", 1, true, true, true, false)))
                .singleElement()
                .satisfies(refusal -> {
                    assertThat(refusal.code()).isEqualTo(FailureCode.DRIVER_MISMATCH);
                    assertThat(refusal.detail()).contains("simulated-1").contains("580.1");
                });
        assertThat(Compatibility.driver(
                        manifest.compatibility(), new DriverInfo(13000, "simulated-1", 1, false, true, true, false)))
                .singleElement()
                .satisfies(
                        refusal -> assertThat(refusal.detail()).contains("real").contains("simulated"));
    }

    @Test
    void memoryIsAskedForBeforehand() {
        GpuInfo small = new GpuInfo(0, "GPU-0", "Simulated H100", 8L << 30, 1 << 20, 1, "9.0", "", false, true);
        assertThat(Compatibility.vram(manifest, Map.of(0, small), Map.of()))
                .singleElement()
                .satisfies(refusal -> {
                    assertThat(refusal.code()).isEqualTo(FailureCode.INSUFFICIENT_VRAM);
                    assertThat(refusal.detail())
                            .contains(Long.toString(1 << 20))
                            .contains(Long.toString(2 << 20));
                });
        assertThat(Compatibility.vram(manifest, Map.of(0, gpu(0, "GPU-0")), Map.of()))
                .isEmpty();
        // what is made ahead is there already, on the GPU where it is
        assertThat(Compatibility.vram(manifest, Map.of(0, small), Map.of(0, 1L << 20)))
                .isEmpty();
        assertThat(Compatibility.vram(manifest, Map.of(0, small), Map.of(1, 1L << 20)))
                .hasSize(1);
    }

    private List<Refusal> host(String architecture, String kernel, String... features) {
        return Compatibility.host(
                manifest.compatibility(), new HostFacts(architecture, kernel, "This CPU", List.of(features)));
    }

    private static GpuInfo gpu(int ordinal, String uuid) {
        return new GpuInfo(ordinal, uuid, "Simulated H100", 8L << 30, 8L << 30, 2 << 20, "9.0", "", false, true);
    }
}
