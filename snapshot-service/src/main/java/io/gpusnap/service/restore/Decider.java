package io.gpusnap.service.restore;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.restore.gate.Constraints;
import io.gpusnap.service.restore.gate.Demand;
import io.gpusnap.service.restore.gate.Gates;
import io.gpusnap.service.restore.gate.Objection;
import io.gpusnap.service.snapshot.CompatibilityClass;
import io.gpusnap.service.snapshot.CompatibilityClasses;
import io.gpusnap.service.version.ModelVersion;
import io.gpusnap.service.version.ModelVersions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.stereotype.Component;

/**
 * Finds the ways back of a version: which of its snapshots, on which nodes, in which order. It changes nothing. What it
 * reads is bounded by the settings and not by how many snapshots and nodes there are: a handful of snapshots, a handful of
 * nodes for each, all by index.
 */
@Component
class Decider {
    private static final int WIDENING = 4;

    private final Offers offers;
    private final CompatibilityClasses classes;
    private final SnapshotReach reach;
    private final Nodes nodes;
    private final ModelVersions versions;
    private final Surroundings surroundings;
    private final RestoreSettings settings;

    Decider(
            Offers offers,
            CompatibilityClasses classes,
            SnapshotReach reach,
            Nodes nodes,
            ModelVersions versions,
            Surroundings surroundings,
            RestoreSettings settings) {
        this.offers = offers;
        this.classes = classes;
        this.reach = reach;
        this.nodes = nodes;
        this.versions = versions;
        this.surroundings = surroundings;
        this.settings = settings;
    }

    /** A way that was tried already. */
    record Tried(SnapshotId snapshot, NodeId node) {}

    /**
     * What is to come back.
     *
     * @param only this very snapshot
     * @param container whether it comes back in a container: a suspended process goes on where it is, and in no other
     */
    record Question(
            String model,
            String version,
            Optional<SnapshotId> only,
            Constraints constraints,
            Set<Tried> tried,
            boolean container) {}

    /** The ways back, best first, and what was not taken. */
    record Plan(List<Decision.Step> steps, List<Decision.Rejected> rejected) {}

    private record Pair(Offer offer, Node node, SnapshotReach.Reach reach) {}

    private record Scored(Pair pair, NodeScore score, ExpectedTime expected) {
        boolean suspended() {
            return pair.offer().engine() == Engine.SUSPEND;
        }
    }

    Plan decide(Question question) {
        List<Offer> wanted = offersFor(question);
        List<Decision.Rejected> rejected = new ArrayList<>();
        List<Pair> able = able(question, wanted, rejected);
        List<Scored> scored = score(question, able);
        scored.sort(Comparator.comparing((Scored one) -> !one.suspended())
                .thenComparing(one -> one.pair().offer().age())
                .thenComparing(
                        one -> !Scoring.hasRoom(one.pair().offer(), one.pair().node()))
                .thenComparing(one -> one.score().total(), Comparator.reverseOrder())
                .thenComparing(one -> one.pair().offer().id().toString(), Comparator.reverseOrder())
                .thenComparing(one -> one.pair().node().id().toString()));
        return new Plan(steps(question, scored), List.copyOf(rejected));
    }

    private List<Offer> offersFor(Question question) {
        if (question.only().isPresent()) {
            return question.only().flatMap(offers::that).stream().toList();
        }
        List<Offer> all = new ArrayList<>(offers.suspended(question.model(), question.version()));
        all.addAll(offers.full(question.model(), question.version()));
        return all;
    }

    /** Few nodes are looked at first, and more of them as long as none of those is able and has room. */
    private List<Pair> able(Question question, List<Offer> wanted, List<Decision.Rejected> rejected) {
        Map<SnapshotId, Offer> byId = wanted.stream().collect(Collectors.toMap(Offer::id, offer -> offer));
        int limit = settings.candidates();
        while (true) {
            // Nodes that the caller names are looked at among themselves: they may not be the cluster's best.
            List<SnapshotReach.Reach> ways =
                    reach.of(byId.keySet(), question.constraints().nodeIds(), limit);
            rejected.clear();
            List<Pair> able = able(question, byId, ways, rejected);
            boolean more = limit < SnapshotReach.MOST_NODES && ways.size() >= limit;
            if (!more || able.stream().anyMatch(pair -> Scoring.hasRoom(pair.offer(), pair.node()))) {
                return able;
            }
            limit = Math.min(SnapshotReach.MOST_NODES, limit * WIDENING);
        }
    }

    private List<Pair> able(
            Question question,
            Map<SnapshotId, Offer> byId,
            List<SnapshotReach.Reach> reached,
            List<Decision.Rejected> rejected) {
        List<SnapshotReach.Reach> ways = reached.stream()
                .filter(way -> isWanted(question, Objects.requireNonNull(byId.get(way.snapshot())), way.node()))
                .toList();
        Map<NodeId, Node> there =
                nodes.find(ways.stream().map(SnapshotReach.Reach::node).collect(Collectors.toSet()));
        Map<String, CompatibilityClass> known = classes.find(byId.values().stream()
                .map(Offer::classKey)
                .filter(key -> !key.isEmpty())
                .collect(Collectors.toSet()));
        Constraints place = question.only().isPresent()
                ? question.constraints()
                : question.constraints()
                        .inImage(versions.find(question.model(), question.version())
                                .flatMap(ModelVersion::image)
                                .orElse(null));
        List<Pair> able = new ArrayList<>();
        for (SnapshotReach.Reach way : ways) {
            Offer offer = Objects.requireNonNull(byId.get(way.snapshot()));
            Node node = there.get(way.node());
            if (node != null) {
                Demand demand = new Demand(
                                offer.engine(), Optional.ofNullable(known.get(offer.classKey())), offer.needs())
                        .inContainer(question.container());
                Gates.firstObjection(demand, node, place)
                        .ifPresentOrElse(
                                objection -> rejected.add(rejection(offer, node, objection)),
                                () -> able.add(new Pair(offer, node, way)));
            }
        }
        return able;
    }

    /** A suspended process comes back where it stands and nowhere else. */
    private static boolean isWanted(Question question, Offer offer, NodeId node) {
        List<NodeId> only = question.constraints().nodeIds();
        List<NodeId> not = question.constraints().excludeNodeIds();
        return (only == null || only.contains(node))
                && (not == null || !not.contains(node))
                && (offer.engine() != Engine.SUSPEND || (offer.takenOn().equals(node) && !question.container()))
                && !question.tried().contains(new Tried(offer.id(), node));
    }

    private List<Scored> score(Question question, List<Pair> able) {
        List<Scored> scored = new ArrayList<>();
        if (able.isEmpty()) {
            return scored;
        }
        Map<NodeId, Integer> queues =
                surroundings.queues(able.stream().map(pair -> pair.node().id()).collect(Collectors.toSet()));
        Forecast forecast = new Forecast(
                surroundings.thaws(question.model(), question.version()), settings.assumedBytesPerSecond());
        double best = able.stream()
                .mapToDouble(pair -> forecast.bytesPerSecond(pair.node().id()))
                .max()
                .orElse(0);
        for (Pair pair : able) {
            NodeId node = pair.node().id();
            int waiting = queues.getOrDefault(node, 0);
            scored.add(new Scored(
                    pair,
                    Scoring.of(pair.offer(), pair.node(), pair.reach(), waiting, forecast.bytesPerSecond(node), best),
                    forecast.of(pair.offer(), node, waiting, pair.reach().missingBytes())));
        }
        return scored;
    }

    /** Nodes on which a full snapshot of the version could be thawed, by all that is known. */
    Set<NodeId> ableToThaw(Question question) {
        return able(question, offers.full(question.model(), question.version()), new ArrayList<>()).stream()
                .map(pair -> pair.node().id())
                .collect(Collectors.toSet());
    }

    /** One suspended process at most, and before anything was tried: however many there are, thaws follow. */
    private List<Scored> chain(Question question, List<Scored> scored) {
        long left = Math.max(0, settings.maxAttempts() - question.tried().size());
        return Stream.concat(
                        scored.stream()
                                .filter(Scored::suspended)
                                .limit(question.tried().isEmpty() ? 1 : 0),
                        scored.stream().filter(one -> !one.suspended()))
                .limit(left)
                .toList();
    }

    private List<Decision.Step> steps(Question question, List<Scored> scored) {
        List<Decision.Step> steps = new ArrayList<>();
        Optional<NodeId> here = Optional.empty();
        for (Scored one : chain(question, scored)) {
            Node node = one.pair().node();
            boolean suspended = one.suspended();
            Decision.Way way = suspended
                    ? Decision.Way.RESUME
                    : here.map(node.id()::equals).orElse(true) ? Decision.Way.THAW : Decision.Way.THAW_ELSEWHERE;
            if (!suspended && here.isEmpty()) {
                here = Optional.of(node.id());
            }
            steps.add(new Decision.Step(
                    way,
                    one.pair().offer().id(),
                    node.id(),
                    node.name(),
                    one.score(),
                    one.expected(),
                    reason(one, scored)));
        }
        return steps;
    }

    private static String reason(Scored one, List<Scored> all) {
        SnapshotId snapshot = one.pair().offer().id();
        String node = one.pair().node().name();
        long others = all.stream()
                .filter(other -> other.pair().offer().id().equals(snapshot))
                .count();
        if (one.suspended()) {
            return "The suspended process is on node " + node + ".";
        }
        return others == 1
                ? "The only able node with the snapshot is " + node + "."
                : "Of " + others + " able nodes with the snapshot, " + node + " scores "
                        + String.format(Locale.ROOT, "%.2f", one.score().total()) + ".";
    }

    private static Decision.Rejected rejection(Offer offer, Node node, Objection objection) {
        return new Decision.Rejected(
                node.id(), node.name(), offer.id(), objection.gate(), objection.code(), objection.detail());
    }
}
