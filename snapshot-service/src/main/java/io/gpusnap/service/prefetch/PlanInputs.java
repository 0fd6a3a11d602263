package io.gpusnap.service.prefetch;

import io.gpusnap.service.forecast.ForecastOutlook;
import io.gpusnap.service.forecast.prefetch.Need;
import io.gpusnap.service.forecast.prefetch.Site;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Node;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.restore.gate.Constraints;
import io.gpusnap.service.restore.gate.Demand;
import io.gpusnap.service.restore.gate.Gates;
import io.gpusnap.service.snapshot.CompatibilityClass;
import io.gpusnap.service.snapshot.CompatibilityClasses;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.springframework.stereotype.Component;

/**
 * Reads what the planner looks at. Nodes that can run the same classes of snapshots are planned together; a model goes where
 * most GPUs are free of those that can run it.
 */
@Component
class PlanInputs {
    /** A GPU of which so much is free could have a new replica. */
    private static final double FREE = 0.9;
    /** Stands for a tier that does not say how large it is. */
    private static final long UNBOUNDED_BYTES = 1L << 50;

    private final PlanFacts facts;
    private final ForecastOutlook forecasts;
    private final CompatibilityClasses classes;
    private final PrefetchSettings settings;

    PlanInputs(PlanFacts facts, ForecastOutlook forecasts, CompatibilityClasses classes, PrefetchSettings settings) {
        this.facts = facts;
        this.forecasts = forecasts;
        this.classes = classes;
        this.settings = settings;
    }

    /** Nodes of one kind: what they can run is what they have in common. */
    private record Kind(Set<PlanFacts.Asked> able, List<Node> nodes) {
        int freeGpus() {
            return nodes.stream().mapToInt(PlanInputs::freeGpus).sum();
        }
    }

    List<PlanInput> read(int steps) {
        List<PlanFacts.Wanted> wanted = facts.wanted(forecasts.models());
        Set<PlanFacts.Asked> asked =
                wanted.stream().map(PlanFacts.Wanted::asked).collect(Collectors.toSet());
        List<Kind> kinds = kinds(
                facts.movers(),
                asked,
                classes.find(asked.stream().map(PlanFacts.Asked::classKey).collect(Collectors.toSet())));
        Map<Kind, List<Need>> needs = new LinkedHashMap<>();
        for (PlanFacts.Wanted one : wanted) {
            kinds.stream()
                    .filter(kind -> kind.able().contains(one.asked()))
                    .max(Comparator.comparingInt(Kind::freeGpus))
                    .ifPresent(kind -> needs.computeIfAbsent(kind, none -> new ArrayList<>())
                            .add(need(one, steps)));
        }
        Map<NodeId, List<Site.Copy>> copies = facts.copies(kinds.stream()
                .flatMap(kind -> kind.nodes().stream())
                .map(Node::id)
                .toList());
        return needs.entrySet().stream()
                .map(entry -> new PlanInput(
                        entry.getValue(),
                        entry.getKey().nodes().stream()
                                .map(node -> site(node, copies.getOrDefault(node.id(), List.of())))
                                .toList()))
                .toList();
    }

    private static List<Kind> kinds(
            List<Node> nodes, Set<PlanFacts.Asked> asked, Map<String, CompatibilityClass> known) {
        Map<Set<PlanFacts.Asked>, List<Node>> byAble = new HashMap<>();
        for (Node node : nodes) {
            Set<PlanFacts.Asked> able = asked.stream()
                    .filter(one -> runs(node, one, Optional.ofNullable(known.get(one.classKey()))))
                    .collect(Collectors.toSet());
            byAble.computeIfAbsent(able, none -> new ArrayList<>()).add(node);
        }
        return byAble.entrySet().stream()
                .map(entry -> new Kind(entry.getKey(), entry.getValue()))
                .toList();
    }

    /** What is not known of a class is no objection: the daemon's own check decides then. */
    private static boolean runs(Node node, PlanFacts.Asked asked, Optional<CompatibilityClass> facts) {
        return Gates.firstObjection(
                        new Demand(Engine.CRIU_CUDA, facts, Optional.empty(), asked.intoContainer()),
                        node,
                        Constraints.NONE)
                .isEmpty();
    }

    private Need need(PlanFacts.Wanted one, int steps) {
        return new Need(
                one.model(),
                one.snapshot(),
                one.bytes(),
                one.running(),
                forecasts.ofReplicas(one.model(), steps),
                // What all of them have in common is the rate: bytes say how seconds compare.
                one.bytes());
    }

    private Site site(Node node, List<Site.Copy> copies) {
        long free = node.inventory().tiers().stream()
                .filter(tier -> tier.kind() == Inventory.TierKind.NVME && tier.usable())
                .mapToLong(tier -> tier.capacityBytes() == 0 ? UNBOUNDED_BYTES : tier.freeBytes())
                .findFirst()
                .orElse(0);
        return new Site(node.id(), freeGpus(node), free, settings.nodeBudget().toBytes(), copies);
    }

    private static int freeGpus(Node node) {
        return Math.toIntExact(node.inventory().gpus().stream()
                .filter(gpu -> gpu.freeBytes() >= FREE * gpu.memoryBytes())
                .count());
    }
}
