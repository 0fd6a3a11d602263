package io.gpusnap.service.restore.gate;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.snapshot.CompatibilityClass;
import io.gpusnap.service.snapshot.Needs;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GatesTest {
    private static final CompatibilityClass CLASS = new CompatibilityClass(
            "amd64",
            "6",
            List.of("avx2"),
            List.of(new CompatibilityClass.Gpus("H100", "9.0", 2)),
            13000,
            "580.1",
            false,
            true);
    private static final Demand DEMAND = new Demand(
            Engine.CRIU_CUDA,
            Optional.of(CLASS),
            Optional.of(new Needs(List.of(10L, 70L), List.of("/", "/models"), "a/llm@sha256:1")));

    /** A node that fits, but for what is changed. */
    private record Place(
            NodeState state,
            boolean schedulable,
            String architecture,
            String kernel,
            List<String> cpuFeatures,
            List<Inventory.Gpu> gpus,
            String driver,
            String criu,
            boolean hasEngine) {
        static Place fitting() {
            return new Place(
                    NodeState.ONLINE,
                    true,
                    "amd64",
                    "6.1",
                    List.of("avx2", "sse"),
                    List.of(gpu("H100", "9.0", 80), gpu("H100", "9.0", 80)),
                    "580.1",
                    "4.2",
                    true);
        }

        Node node() {
            return withCapabilities();
        }

        Node withCapabilities(Inventory.Capability... more) {
            List<Inventory.Capability> all =
                    new ArrayList<>(List.of(new Inventory.Capability("criu+cuda", hasEngine, "no root")));
            all.addAll(List.of(more));
            return new Node(
                    NodeId.next(),
                    "n",
                    UUID.randomUUID(),
                    "1",
                    1,
                    schedulable,
                    state,
                    new Inventory(
                            "os",
                            kernel,
                            architecture,
                            null,
                            2,
                            1,
                            gpus,
                            13000,
                            driver,
                            criu,
                            List.of(),
                            all,
                            null,
                            cpuFeatures,
                            null,
                            List.of("/", "/models"),
                            null),
                    Instant.EPOCH,
                    Instant.EPOCH,
                    0);
        }
    }

    private static Inventory.Gpu gpu(String name, String capability, long bytes) {
        return new Inventory.Gpu(0, "GPU-x", name, bytes, bytes, false, false, capability);
    }

    static Stream<Arguments> places() {
        Place fit = Place.fitting();
        return Stream.of(
                place(
                        "node-heard",
                        ErrorCode.NODE_SILENT,
                        new Place(
                                NodeState.SILENT,
                                true,
                                fit.architecture,
                                fit.kernel,
                                fit.cpuFeatures,
                                fit.gpus,
                                fit.driver,
                                fit.criu,
                                true)),
                place(
                        "node-open",
                        ErrorCode.NODE_UNSCHEDULABLE,
                        new Place(
                                NodeState.ONLINE,
                                false,
                                fit.architecture,
                                fit.kernel,
                                fit.cpuFeatures,
                                fit.gpus,
                                fit.driver,
                                fit.criu,
                                true)),
                place(
                        "engine",
                        ErrorCode.CAPABILITY_MISSING,
                        new Place(
                                NodeState.ONLINE,
                                true,
                                fit.architecture,
                                fit.kernel,
                                fit.cpuFeatures,
                                fit.gpus,
                                fit.driver,
                                fit.criu,
                                false)),
                place(
                        "criu",
                        ErrorCode.CRIU_UNAVAILABLE,
                        new Place(
                                NodeState.ONLINE,
                                true,
                                fit.architecture,
                                fit.kernel,
                                fit.cpuFeatures,
                                fit.gpus,
                                fit.driver,
                                null,
                                true)),
                place(
                        "architecture",
                        ErrorCode.INCOMPATIBLE,
                        new Place(
                                NodeState.ONLINE,
                                true,
                                "aarch64",
                                fit.kernel,
                                fit.cpuFeatures,
                                fit.gpus,
                                fit.driver,
                                fit.criu,
                                true)),
                place(
                        "kernel",
                        ErrorCode.INCOMPATIBLE,
                        new Place(
                                NodeState.ONLINE,
                                true,
                                fit.architecture,
                                "5.15.0",
                                fit.cpuFeatures,
                                fit.gpus,
                                fit.driver,
                                fit.criu,
                                true)),
                place(
                        "cpu-features",
                        ErrorCode.INCOMPATIBLE,
                        new Place(
                                NodeState.ONLINE,
                                true,
                                fit.architecture,
                                fit.kernel,
                                List.of("sse"),
                                fit.gpus,
                                fit.driver,
                                fit.criu,
                                true)),
                place(
                        "gpu-model",
                        ErrorCode.GPU_MISMATCH,
                        new Place(
                                NodeState.ONLINE,
                                true,
                                fit.architecture,
                                fit.kernel,
                                fit.cpuFeatures,
                                List.of(gpu("A100", "8.0", 80), gpu("A100", "8.0", 80)),
                                fit.driver,
                                fit.criu,
                                true)),
                place(
                        "gpu-model",
                        ErrorCode.GPU_MISMATCH,
                        new Place(
                                NodeState.ONLINE,
                                true,
                                fit.architecture,
                                fit.kernel,
                                fit.cpuFeatures,
                                List.of(gpu("H100", "9.1", 80), gpu("H100", "9.1", 80)),
                                fit.driver,
                                fit.criu,
                                true)),
                place(
                        "gpu-count",
                        ErrorCode.GPU_MISMATCH,
                        new Place(
                                NodeState.ONLINE,
                                true,
                                fit.architecture,
                                fit.kernel,
                                fit.cpuFeatures,
                                List.of(gpu("H100", "9.0", 80)),
                                fit.driver,
                                fit.criu,
                                true)),
                place(
                        "gpu-memory",
                        ErrorCode.INSUFFICIENT_VRAM,
                        new Place(
                                NodeState.ONLINE,
                                true,
                                fit.architecture,
                                fit.kernel,
                                fit.cpuFeatures,
                                List.of(gpu("H100", "9.0", 60), gpu("H100", "9.0", 60)),
                                fit.driver,
                                fit.criu,
                                true)),
                place(
                        "driver",
                        ErrorCode.DRIVER_MISMATCH,
                        new Place(
                                NodeState.ONLINE,
                                true,
                                fit.architecture,
                                fit.kernel,
                                fit.cpuFeatures,
                                fit.gpus,
                                "570.2",
                                fit.criu,
                                true)));
    }

    private static Arguments place(String gate, ErrorCode code, Place place) {
        return Arguments.of(gate, code, place);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("places")
    void eachGateObjectsToWhatItIsThereFor(String gate, ErrorCode code, Place place) {
        List<Objection> objections = Gates.objections(DEMAND, place.node(), Constraints.NONE);

        assertThat(objections).hasSize(1);
        assertThat(objections.getFirst().gate()).isEqualTo(gate);
        assertThat(objections.getFirst().code()).isEqualTo(code);
        assertThat(objections.getFirst().detail()).endsWith(".");
    }

    @Test
    void aPlaceThatFitsPassesThemAll() {
        Constraints known = new Constraints(null, null, "b/llm@sha256:1", List.of("/", "/models", "/tmp"));

        assertThat(Gates.objections(DEMAND, Place.fitting().node(), known)).isEmpty();
    }

    @Test
    void anotherImageAndMissingMountsAreRefused() {
        Constraints other = new Constraints(null, null, "a/llm@sha256:2", List.of("/"));

        assertThat(Gates.objections(DEMAND, Place.fitting().node(), other))
                .extracting(Objection::gate)
                .containsExactly("image", "mounts");
    }

    @Test
    void intoAContainerItGoesOnlyWhereTheDaemonSaysThatItCan() {
        Demand pod = DEMAND.inContainer(true);

        assertThat(Gates.objections(
                        pod, Place.fitting().withCapabilities(able(Inventory.CONTAINER_THAW)), Constraints.NONE))
                .isEmpty();
        assertThat(Gates.objections(pod, Place.fitting().node(), Constraints.NONE))
                .as("an older daemon")
                .singleElement()
                .satisfies(objection -> {
                    assertThat(objection.gate()).isEqualTo("container");
                    assertThat(objection.code()).isEqualTo(ErrorCode.CAPABILITY_MISSING);
                    assertThat(objection.detail()).contains("container-thaw").contains("does not know it");
                });
        assertThat(Gates.objections(
                        pod,
                        Place.fitting()
                                .withCapabilities(new Inventory.Capability(
                                        Inventory.CONTAINER_THAW, false, "gpusnap-enter is not there")),
                        Constraints.NONE))
                .as("one that lacks a part")
                .extracting(Objection::detail)
                .singleElement()
                .asString()
                .endsWith("gpusnap-enter is not there.");
    }

    private static Inventory.Capability able(String name) {
        return new Inventory.Capability(name, true, null);
    }

    private static Demand of(boolean container, String... volumes) {
        return new Demand(
                Engine.CRIU_CUDA,
                Optional.of(CLASS),
                Optional.of(new Needs(
                        List.of(10L, 70L),
                        List.of("/", "/models", "/cache"),
                        "a/llm@sha256:1",
                        container,
                        List.of(volumes),
                        null)));
    }

    @Test
    void aProcessOutsideOfContainersNeedsTheVolumesThatItHasFilesOn() {
        Node node = Place.fitting().node();

        assertThat(Gates.objections(of(false, "/models"), node, Constraints.NONE))
                .isEmpty();
        assertThat(Gates.objections(of(false, "/models", "/cache"), node, Constraints.NONE))
                .singleElement()
                .satisfies(objection -> {
                    assertThat(objection.gate()).isEqualTo("mounts");
                    assertThat(objection.code()).isEqualTo(ErrorCode.PATH_MISSING);
                    assertThat(objection.detail())
                            .contains("/cache")
                            .contains("node n")
                            .doesNotContain("/models");
                });
    }

    @Test
    void aProcessOfAContainerComesBackInOneAndAnyOtherOutside() {
        Node node = Place.fitting().node();

        assertThat(Gates.objections(of(true, "/elsewhere"), node, Constraints.NONE))
                .extracting(Objection::gate)
                .containsExactly("place");
        assertThat(Gates.objections(of(false).inContainer(true), node, Constraints.NONE))
                .extracting(Objection::gate)
                .contains("place");
        assertThat(Gates.objections(of(true, "/elsewhere").inContainer(true), node, Constraints.NONE))
                .extracting(Objection::gate)
                .doesNotContain("place", "mounts");
    }

    @Test
    void whatNeitherSideSaysIsLeftToTheDaemon() {
        Demand silent = new Demand(Engine.CRIU_CUDA, Optional.empty(), Optional.empty());
        Place fit = Place.fitting();
        Place quiet = new Place(
                NodeState.ONLINE, true, fit.architecture, fit.kernel, null, fit.gpus, fit.driver, fit.criu, true);

        assertThat(Gates.objections(silent, fit.node(), Constraints.NONE)).isEmpty();
        assertThat(Gates.objections(DEMAND, quiet.node(), Constraints.NONE)).isEmpty();
    }
}
