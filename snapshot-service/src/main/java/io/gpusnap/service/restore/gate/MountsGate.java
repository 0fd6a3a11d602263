package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The mount points that the process saw, where the caller says which are there. Else, of a process outside of containers, those
 * that it has files on, where the node says what it has mounted.
 */
final class MountsGate implements Gate {
    @Override
    public String name() {
        return "mounts";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        List<String> there = constraints.mounts();
        if (there != null) {
            return demand.needs()
                    .flatMap(needs -> missing(needs.mounts(), there))
                    .map(missing -> objection("The process saw mounts that are not there: " + missing + "."));
        }
        List<String> mounted = node.inventory().mounts();
        if (mounted == null) {
            return Optional.empty();
        }
        return demand.needs()
                .filter(needs -> Boolean.FALSE.equals(needs.container()))
                .flatMap(needs -> missing(Objects.requireNonNullElse(needs.volumes(), List.of()), mounted))
                .map(missing -> objection(
                        "The process has files on mounts that node " + node.name() + " has not: " + missing + "."));
    }

    private static Optional<String> missing(List<String> needed, List<String> there) {
        return Optional.of(
                        needed.stream().filter(mount -> !there.contains(mount)).collect(Collectors.joining(", ")))
                .filter(missing -> !missing.isEmpty());
    }

    private Objection objection(String detail) {
        return new Objection(name(), ErrorCode.PATH_MISSING, detail);
    }
}
