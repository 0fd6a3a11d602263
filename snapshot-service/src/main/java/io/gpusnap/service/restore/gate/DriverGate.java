package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.snapshot.CompatibilityClass;
import java.util.Optional;

/** The very driver build that saved it, real or simulated. */
final class DriverGate implements Gate {
    @Override
    public String name() {
        return "driver";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        return demand.compatibility()
                .filter(saved -> !fits(saved, node.inventory()))
                .map(saved -> new Objection(
                        name(),
                        ErrorCode.DRIVER_MISMATCH,
                        "The snapshot is of " + (saved.simulated() ? "the simulated driver " : "driver ")
                                + saved.driverBuild() + " (CUDA " + saved.cudaDriverVersion() + "), node " + node.name()
                                + " has " + (simulated(node.inventory()) ? "the simulated driver " : "driver ")
                                + node.inventory().driverBuild() + " (CUDA "
                                + node.inventory().cudaDriverVersion() + ")."));
    }

    private static boolean fits(CompatibilityClass saved, Inventory here) {
        Integer cuda = here.cudaDriverVersion();
        return saved.driverBuild().equals(here.driverBuild())
                && cuda != null
                && saved.cudaDriverVersion() == cuda
                && saved.simulated() == simulated(here);
    }

    private static boolean simulated(Inventory here) {
        return here.gpus().stream().anyMatch(Inventory.Gpu::simulated);
    }
}
