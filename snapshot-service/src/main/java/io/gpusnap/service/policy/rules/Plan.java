package io.gpusnap.service.policy.rules;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.snapshot.LocationState;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What one evaluation has decided so far, and how things will be when that is done. It holds what no rule can waive: a copy
 * is only made from a good one that the mover sees, a snapshot that is read keeps its copies, and the last good durable copy
 * stays. What is to come counts where more is wanted, never where something is to go: each decision is carried out by itself, and
 * a copy that is decided may be deferred, or fail.
 */
public final class Plan {
    private static final String SAFETY = "safety";

    private final Facts facts;
    private final Newest newest;
    private final List<Rule> rules;
    private final List<Decision> decisions = new ArrayList<>();
    private final Map<SnapshotId, List<Facts.CopyFacts>> copies = new HashMap<>();
    private final Map<StoreId, Long> addedBytes = new HashMap<>();
    private final Set<SnapshotId> deleted = new HashSet<>();

    Plan(Facts facts, List<Rule> rules) {
        this.facts = facts;
        this.newest = new Newest(facts);
        this.rules = List.copyOf(rules);
        facts.snapshots().forEach(snapshot -> copies.put(snapshot.id(), new ArrayList<>(snapshot.copies())));
    }

    /** What the rules decide together, in their order. Repair goes before all, asked for or not. */
    public static List<Decision> of(Facts facts, List<Rule> policy) {
        List<Rule> rules =
                Stream.concat(Stream.of(new Repair()), policy.stream()).toList();
        Plan plan = new Plan(facts, rules);
        rules.forEach(rule -> rule.propose(plan));
        return List.copyOf(plan.decisions);
    }

    /**
     * Why one of the rules that promise something needs the copy, with the rule's kind; empty when none does, and of a copy that counts
     * for none: one that is not whole, or cannot be had now.
     *
     * @param facts of the snapshot, and of those of its version
     */
    public static Optional<String> promised(Facts facts, List<Rule> rules, SnapshotId id, StoreId store) {
        Plan plan = new Plan(facts, rules);
        return facts.snapshots().stream()
                .filter(snapshot -> snapshot.id().equals(id))
                .flatMap(snapshot -> snapshot.copies().stream()
                        .filter(copy -> copy.store().equals(store) && copy.isThere())
                        .flatMap(copy -> rules.stream()
                                .filter(Rule::promises)
                                .flatMap(
                                        rule -> rule
                                                .objectsTo(plan, snapshot, copy)
                                                .map(why -> kindOf(rule) + ": " + why)
                                                .stream())))
                .findFirst();
    }

    Facts facts() {
        return facts;
    }

    /** Snapshots that stay, the most recently used first. */
    Stream<Facts.SnapshotFacts> snapshots() {
        return facts.snapshots().stream()
                .filter(snapshot -> !deleted.contains(snapshot.id()))
                .sorted(Comparator.comparing(Facts.SnapshotFacts::lastUsedAt)
                        .reversed()
                        .thenComparing(snapshot -> snapshot.id().value()));
    }

    /** Whether no other snapshot of its version is newer. */
    boolean isNewest(Facts.SnapshotFacts snapshot) {
        return newest.has(snapshot);
    }

    /** Copies as they will be, those that are still being made included, and those that will not be given up soon. */
    List<Facts.CopyFacts> copies(Facts.SnapshotFacts snapshot) {
        return all(snapshot).stream()
                .filter(copy -> copy.state() == LocationState.PRESENT || copy.state() == LocationState.COPYING)
                .filter(copy -> copy.reach().isCountedOn())
                .toList();
    }

    List<Facts.CopyFacts> copies(Facts.SnapshotFacts snapshot, Inventory.TierKind kind) {
        return copies(snapshot).stream().filter(copy -> copy.kind() == kind).toList();
    }

    long durable(Facts.SnapshotFacts snapshot) {
        return copies(snapshot).stream().filter(Facts.CopyFacts::durable).count();
    }

    /** Durable copies that are whole and known of, and that cannot be had now. */
    long outOfReach(Facts.SnapshotFacts snapshot, Facts.Reach reach) {
        return all(snapshot).stream()
                .filter(copy -> copy.durable() && copy.state() == LocationState.PRESENT && copy.reach() == reach)
                .count();
    }

    /** How many copies that the filter lets through are there now beside this one, and stay. */
    long beside(Facts.SnapshotFacts snapshot, Facts.CopyFacts copy, Predicate<Facts.CopyFacts> which) {
        return all(snapshot).stream()
                .filter(other -> other.isThere() && !other.equals(copy) && which.test(other))
                .count();
    }

    /** The same of copies in one kind of store. */
    long beside(Facts.SnapshotFacts snapshot, Facts.CopyFacts copy, Inventory.TierKind kind) {
        return beside(snapshot, copy, other -> other.kind() == kind);
    }

    /** Bytes of the store as they will be. */
    long usedBytes(Facts.StoreFacts store) {
        return store.usedBytes() + addedBytes.getOrDefault(store.id(), 0L);
    }

    /**
     * Wants a copy in the best of the stores that the filter lets through: shared ones before nodes' own, then the one with
     * the most room. Memory is filled from its node's own store, so what is nowhere in one comes to one first. Says that it is
     * blocked when there is no way.
     */
    void copyTo(
            Facts.SnapshotFacts snapshot,
            Predicate<Facts.StoreFacts> where,
            TransferPriority priority,
            String rule,
            String reason) {
        Optional<Way> way = way(snapshot, where)
                .or(() -> isComingBesideMemory(snapshot, where)
                        ? Optional.empty()
                        : way(
                                snapshot,
                                store -> store.kind() == Inventory.TierKind.NVME && isBesideMemory(where, store)));
        if (way.isEmpty()) {
            decisions.add(new Decision.Blocked(
                    snapshot.id(),
                    rule,
                    reason
                            + " No store has room for it, is healthy, and is seen by a node that can also read a good copy."
                            + foundNoRoom(snapshot, where)));
            return;
        }
        Facts.StoreFacts store = way.get().store();
        decisions.add(new Decision.Copy(
                snapshot.id(), store.id(), store.kind(), way.get().mover(), priority, rule, reason));
        all(snapshot)
                .add(new Facts.CopyFacts(
                        store.id(),
                        store.kind(),
                        store.node(),
                        LocationState.COPYING,
                        Facts.Reach.ANSWERS,
                        store.expected(snapshot)));
        addedBytes.merge(store.id(), store.expected(snapshot), Long::sum);
    }

    /** Which of the stores are passed over because of what became of the copy before; empty for none. */
    private String foundNoRoom(Facts.SnapshotFacts snapshot, Predicate<Facts.StoreFacts> where) {
        return without(snapshot)
                .filter(store -> where.test(store) || isBesideMemory(where, store))
                .filter(store -> store.wholeUntil().containsKey(snapshot.id()) && !hasRoom(store, snapshot))
                .sorted(Comparator.comparing(store -> store.id().value()))
                .map(store -> " A copy of it found no room in " + store.kind() + " store " + store.id() + "; until "
                        + store.wholeUntil().get(snapshot.id()).truncatedTo(ChronoUnit.SECONDS)
                        + " all that was saved of it counts there.")
                .collect(Collectors.joining());
    }

    private record Way(Facts.StoreFacts store, NodeId mover) {}

    private Optional<Way> way(Facts.SnapshotFacts snapshot, Predicate<Facts.StoreFacts> where) {
        return without(snapshot)
                .filter(where)
                .filter(store -> hasRoom(store, snapshot))
                .sorted(Comparator.comparing(
                                (Facts.StoreFacts store) -> store.node().isPresent())
                        .thenComparing(Facts.StoreFacts::freeBytes, Comparator.reverseOrder())
                        .thenComparing(store -> store.id().value()))
                .flatMap(store -> mover(snapshot, store).map(node -> new Way(store, node)).stream())
                .findFirst();
    }

    /** Stores that have nothing of it. */
    private Stream<Facts.StoreFacts> without(Facts.SnapshotFacts snapshot) {
        Set<StoreId> taken = new HashSet<>();
        all(snapshot).forEach(copy -> taken.add(copy.store()));
        return facts.stores().values().stream().filter(store -> !taken.contains(store.id()));
    }

    private boolean hasRoom(Facts.StoreFacts store, Facts.SnapshotFacts snapshot) {
        return store.fits(store.expected(snapshot) + Math.max(0, addedBytes.getOrDefault(store.id(), 0L)));
    }

    private boolean isComingBesideMemory(Facts.SnapshotFacts snapshot, Predicate<Facts.StoreFacts> where) {
        return copies(snapshot, Inventory.TierKind.NVME).stream()
                .filter(copy -> copy.state() == LocationState.COPYING)
                .flatMap(copy -> Optional.ofNullable(facts.stores().get(copy.store())).stream())
                .anyMatch(store -> isBesideMemory(where, store));
    }

    private boolean isBesideMemory(Predicate<Facts.StoreFacts> where, Facts.StoreFacts own) {
        return facts.stores().values().stream()
                .anyMatch(store -> store.kind() == Inventory.TierKind.MEMORY
                        && store.node().equals(own.node())
                        && where.test(store));
    }

    /** Says that something is wanted, and left for now. */
    void waitFor(Facts.SnapshotFacts snapshot, String rule, String reason) {
        decisions.add(new Decision.Blocked(snapshot.id(), rule, reason));
    }

    /** Wants a copy to go, unless a rule or safety stands against it; then that is what is decided. */
    boolean remove(Facts.SnapshotFacts snapshot, Facts.CopyFacts copy, String rule, String reason) {
        return remove(snapshot, copy, Optional.empty(), rule, reason);
    }

    /** The same of a copy that is replaced by one that the filter lets through: only once that one is there. */
    boolean replace(
            Facts.SnapshotFacts snapshot,
            Facts.CopyFacts copy,
            Predicate<Facts.CopyFacts> by,
            String rule,
            String reason) {
        return remove(snapshot, copy, Optional.of(by), rule, reason);
    }

    private boolean remove(
            Facts.SnapshotFacts snapshot,
            Facts.CopyFacts copy,
            Optional<Predicate<Facts.CopyFacts>> replacedBy,
            String rule,
            String reason) {
        Optional<Decision> against = against(snapshot, copy, rule, reason)
                .or(() -> replacedBy
                        .filter(by -> beside(snapshot, copy, by) == 0)
                        .map(by -> new Decision.Blocked(
                                snapshot.id(),
                                rule,
                                reason + " It waits: the copy that replaces it is not there yet.")));
        decisions.add(
                against.orElseGet(() -> new Decision.Remove(snapshot.id(), copy.store(), copy.kind(), rule, reason)));
        if (against.isPresent()) {
            return false;
        }
        all(snapshot).remove(copy);
        addedBytes.merge(copy.store(), -copy.bytes(), Long::sum);
        return true;
    }

    /** Wants the snapshot to be gone, unless a rule or its readers stand against it. */
    void delete(Facts.SnapshotFacts snapshot, String rule, String reason) {
        Optional<String> against = snapshot.busy()
                ? Optional.of("an operation reads it")
                : rules.stream()
                        .flatMap(other -> other.objectsToDeletion(snapshot).stream())
                        .findFirst();
        decisions.add(against.<Decision>map(
                        why -> new Decision.Blocked(snapshot.id(), rule, reason + " It stays: " + why + "."))
                .orElseGet(() -> new Decision.Delete(snapshot.id(), rule, reason)));
        if (against.isEmpty()) {
            deleted.add(snapshot.id());
        }
    }

    private Optional<Decision> against(Facts.SnapshotFacts snapshot, Facts.CopyFacts copy, String rule, String reason) {
        if (snapshot.busy()) {
            return Optional.of(
                    new Decision.Blocked(snapshot.id(), rule, reason + " It waits: an operation reads the snapshot."));
        }
        boolean good = copy.state() == LocationState.PRESENT;
        boolean coming = copy.state() == LocationState.COPYING;
        if (good && copy.durable() && beside(snapshot, copy, Facts.CopyFacts::durable) == 0) {
            boolean onlyOne = Stream.of(Facts.Reach.values())
                    .filter(reach -> reach != Facts.Reach.ANSWERS)
                    .allMatch(reach -> outOfReach(snapshot, reach) == 0);
            return Optional.of(keep(
                    snapshot,
                    copy,
                    SAFETY,
                    "It is the last good durable copy" + (onlyOne ? "; " : " that can be read; ") + rule
                            + " would remove it."));
        }
        if (copy.state() == LocationState.CORRUPT
                && copy.durable()
                && beside(snapshot, copy, Facts.CopyFacts::durable) == 0) {
            return Optional.of(new Decision.Blocked(
                    snapshot.id(), rule, reason + " It waits: there is no other copy that can be read now."));
        }
        if (!good && !coming) {
            return Optional.empty();
        }
        return rules.stream()
                .flatMap(other ->
                        other
                                .objectsTo(this, snapshot, copy)
                                .map(why -> keep(snapshot, copy, kindOf(other), why))
                                .stream())
                .map(Decision.class::cast)
                .findFirst()
                .or(() -> coming
                        ? Optional.of(new Decision.Blocked(
                                snapshot.id(), rule, reason + " It waits: that copy is still being made."))
                        : Optional.empty());
    }

    private List<Facts.CopyFacts> all(Facts.SnapshotFacts snapshot) {
        return copies.computeIfAbsent(snapshot.id(), id -> new ArrayList<>());
    }

    private static Decision keep(Facts.SnapshotFacts snapshot, Facts.CopyFacts copy, String rule, String reason) {
        return new Decision.Keep(snapshot.id(), copy.store(), copy.kind(), rule, reason);
    }

    /** A node that sees the store and a good copy; the owner of that copy's store first. */
    private Optional<NodeId> mover(Facts.SnapshotFacts snapshot, Facts.StoreFacts target) {
        List<Facts.CopyFacts> sources = all(snapshot).stream()
                .filter(copy -> copy.durable()
                        && copy.state() == LocationState.PRESENT
                        && copy.reach().isOpenToTrials())
                // A node tells what is in its memory only of snapshots that its own store has.
                .filter(copy -> target.kind() != Inventory.TierKind.MEMORY
                        || copy.node().isPresent() && copy.node().equals(target.node()))
                .toList();
        Stream<NodeId> owners = sources.stream().flatMap(copy -> copy.node().stream());
        Stream<NodeId> others = sources.stream()
                .flatMap(copy -> Optional.ofNullable(facts.stores().get(copy.store())).stream()
                        .flatMap(store -> store.movers().stream())
                        .filter(node -> !copy.strangers().contains(node)));
        return Stream.concat(owners, others).filter(target.movers()::contains).findFirst();
    }

    static String kindOf(Rule rule) {
        return switch (rule) {
            case MinimumCopies any -> MinimumCopies.KIND;
            case NodeSpread any -> NodeSpread.KIND;
            case Prefetch any -> Prefetch.KIND;
            case Promote any -> Promote.KIND;
            case Demote any -> Demote.KIND;
            case Archive any -> Archive.KIND;
            case Watermark any -> Watermark.KIND;
            case Retention any -> Retention.KIND;
            case Pin any -> Pin.KIND;
            case Repair any -> Repair.KIND;
        };
    }
}
