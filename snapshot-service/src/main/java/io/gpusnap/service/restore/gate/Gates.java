package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import java.util.List;
import java.util.Optional;

/** All gates, what is cheapest to mend first. */
public final class Gates {
    private static final List<Gate> ALL = List.of(
            new NodeHeardGate(),
            new NodeOpenGate(),
            new EngineGate(),
            new CriuGate(),
            new PlaceGate(),
            new ContainerGate(),
            new ArchitectureGate(),
            new KernelGate(),
            new CpuFeaturesGate(),
            new GpuModelGate(),
            new GpuCountGate(),
            new GpuMemoryGate(),
            new DriverGate(),
            new ImageGate(),
            new MountsGate());

    private Gates() {}

    /** Everything that speaks against it. */
    public static List<Objection> objections(Demand demand, Node node, Constraints constraints) {
        return ALL.stream()
                .flatMap(gate -> gate.objection(demand, node, constraints).stream())
                .toList();
    }

    /** The first thing that speaks against it. */
    public static Optional<Objection> firstObjection(Demand demand, Node node, Constraints constraints) {
        return ALL.stream()
                .flatMap(gate -> gate.objection(demand, node, constraints).stream())
                .findFirst();
    }
}
