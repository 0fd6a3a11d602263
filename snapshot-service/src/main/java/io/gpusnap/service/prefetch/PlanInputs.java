package io.gpusnap.service.prefetch;

import io.gpusnap.service.forecast.ForecastOutlook;
import io.gpusnap.service.forecast.prefetch.Need;
import io.gpusnap.service.forecast.prefetch.Site;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Node;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.restore.gate.Constraints;
import io.gpusnap.service.restore.gate.Demand;
import io.gpusnap.service.restore.gate.Gates;
import io.gpusnap.service.snapshot.CompatibilityClass;
import io.gpusnap.service.snapshot.CompatibilityClasses;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.springframework.stereotype.Component;
import org.springframework.util.unit.DataSize;

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

    /** Where a model could grow. */
    private record Home(PlanFacts.Wanted wanted, Kind kind) {}

    List<PlanInput> read(int steps) {
        List<PlanFacts.Wanted> wanted = facts.wanted(forecasts.models());
        Set<PlanFacts.Asked> asked =
                wanted.stream().map(PlanFacts.Wanted::asked).collect(Collectors.toSet());
        List<Kind> kinds = kinds(
                facts.movers(),
                asked,
                classes.find(asked.stream().map(PlanFacts.Asked::classKey).collect(Collectors.toSet())));
        Map<Kind, List<Need>> needs = new LinkedHashMap<>();
        byModel(wanted)
                .forEach(ofModel -> ofModel.stream()
                        .flatMap(one -> kinds.stream()
                                .filter(kind -> kind.able().contains(one.asked()))
                                .map(kind -> new Home(one, kind)))
                        .max(Comparator.comparingInt((Home home) -> home.kind().freeGpus())
                                .thenComparing(home -> home.wanted().snapshot().value()))
                        .ifPresent(home -> needs.computeIfAbsent(home.kind(), none -> new ArrayList<>())
                                .add(need(home.wanted(), steps))));
        List<NodeId> all = kinds.stream()
                .flatMap(kind -> kind.nodes().stream())
                .map(Node::id)
                .toList();
        Map<NodeId, List<Site.Copy>> own = facts.copies(all);
        Map<NodeId, List<Site.Copy>> inMemory = facts.copiesInMemory(all);
        Map<NodeId, Set<SnapshotId>> loadable = facts.loadable(
                all, wanted.stream().map(PlanFacts.Wanted::snapshot).toList());
        Set<PlanFacts.Shelf> leaving = facts.leaving(all);
        ToDoubleFunction<NodeId> storedShares = facts.storedShares();
        Function<NodeId, Set<SnapshotId>> foundNoRoom = facts.foundNoRoom();
        return needs.entrySet().stream()
                .map(entry -> new PlanInput(
                        entry.getValue(),
                        entry.getKey().nodes().stream()
                                .map(node -> ownStore(
                                        node,
                                        own.getOrDefault(node.id(), List.of()),
                                        leaving,
                                        storedShares,
                                        takes(node, entry.getValue(), foundNoRoom.apply(node.id()))))
                                .toList(),
                        entry.getKey().nodes().stream()
                                .map(node -> memory(
                                        node,
                                        inMemory.getOrDefault(node.id(), List.of()),
                                        loadable.getOrDefault(node.id(), Set.of()),
                                        leaving))
                                .toList()))
                .toList();
    }

    private static Collection<List<PlanFacts.Wanted>> byModel(List<PlanFacts.Wanted> wanted) {
        return wanted.stream()
                .collect(Collectors.groupingBy(PlanFacts.Wanted::model, LinkedHashMap::new, Collectors.toList()))
                .values();
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

    /** In bytes as they were saved, as are those of snapshots: of a disk that compresses there is room for more of them than it has free. */
    private Site ownStore(
            Node node,
            List<Site.Copy> copies,
            Set<PlanFacts.Shelf> leaving,
            ToDoubleFunction<NodeId> storedShares,
            Optional<Set<SnapshotId>> takes) {
        return new Site(
                node.id(),
                freeGpus(node),
                (long) (freeBytes(node, Inventory.TierKind.NVME) / storedShares.applyAsDouble(node.id())),
                budget(node, Inventory.TierKind.NVME, settings.nodeBudget(), leaving),
                copies,
                takes);
    }

    /** What found no room in the node's own store comes there again where there is room for all that was saved of it; empty: any does. */
    private static Optional<Set<SnapshotId>> takes(Node node, List<Need> needs, Set<SnapshotId> foundNoRoom) {
        if (foundNoRoom.isEmpty()) {
            return Optional.empty();
        }
        long freeBytes = freeBytes(node, Inventory.TierKind.NVME);
        return Optional.of(needs.stream()
                .filter(need -> !foundNoRoom.contains(need.snapshot()) || need.bytes() <= freeBytes)
                .map(Need::snapshot)
                .collect(Collectors.toSet()));
    }

    /** A pool counts what it could give up as free, and gives up what was used least recently: the planner says what goes instead. */
    private Site memory(Node node, List<Site.Copy> copies, Set<SnapshotId> loadable, Set<PlanFacts.Shelf> leaving) {
        long kept = copies.stream().mapToLong(Site.Copy::bytes).sum();
        return new Site(
                node.id(),
                freeGpus(node),
                Math.max(0, freeBytes(node, Inventory.TierKind.MEMORY) - kept),
                budget(node, Inventory.TierKind.MEMORY, settings.memoryBudget(), leaving),
                copies,
                Optional.of(loadable));
    }

    /** While something is on its way out the node does not know yet what will be free. */
    private static long budget(Node node, Inventory.TierKind kind, DataSize budget, Set<PlanFacts.Shelf> leaving) {
        return leaving.contains(new PlanFacts.Shelf(node.id(), kind)) ? 0 : budget.toBytes();
    }

    private static long freeBytes(Node node, Inventory.TierKind kind) {
        return node.inventory().tiers().stream()
                .filter(tier -> tier.kind() == kind && tier.usable())
                .mapToLong(tier -> tier.capacityBytes() == 0 && kind != Inventory.TierKind.MEMORY
                        ? UNBOUNDED_BYTES
                        : tier.freeBytes())
                .findFirst()
                .orElse(0);
    }

    private static int freeGpus(Node node) {
        return Math.toIntExact(node.inventory().gpus().stream()
                .filter(gpu -> gpu.freeBytes() >= FREE * gpu.memoryBytes())
                .count());
    }
}
