package io.gpusnap.service.policy.rules;

import static io.gpusnap.service.policy.rules.World.GB;
import static io.gpusnap.service.policy.rules.World.MEMORY_A;
import static io.gpusnap.service.policy.rules.World.NFS;
import static io.gpusnap.service.policy.rules.World.NVME_A;
import static io.gpusnap.service.policy.rules.World.NVME_B;
import static io.gpusnap.service.policy.rules.World.S3;
import static io.gpusnap.service.policy.rules.World.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.node.Inventory.TierKind;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.snapshot.LocationState;
import java.time.Duration;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RulesTest {
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration DAY = Duration.ofDays(1);

    private static final MinimumCopies TWO_COPIES = new MinimumCopies(2, null);
    private static final Demote LEAVE_NVME = new Demote(TierKind.NVME, DAY, null, null);

    /** One row: the case, the snapshot, the rules, what they decide. */
    private record Row(String name, World.Of snapshot, List<Rule> rules, List<String> decisions) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Row row(String name, World.Of snapshot, Rule rule, String... decisions) {
        return new Row(name, snapshot, List.of(rule), List.of(decisions));
    }

    static Stream<Row> table() {
        return Stream.of(
                // minimum copies
                row(
                        "a second copy goes to a shared store",
                        snapshot("v1").on(NVME_A),
                        TWO_COPIES,
                        "copy nfs by A (minimum-copies)"),
                row("enough copies are enough", snapshot("v1").on(NVME_A, S3), TWO_COPIES),
                row("a copy on its way counts", snapshot("v1").on(NVME_A).in(S3, LocationState.COPYING), TWO_COPIES),
                row(
                        "memory is not durable",
                        snapshot("v1").on(MEMORY_A, NVME_A),
                        TWO_COPIES,
                        "copy nfs by A (minimum-copies)"),
                row(
                        "a role that is not meant is left alone",
                        snapshot("v1").role(Role.HISTORY).on(NVME_A),
                        new MinimumCopies(2, Set.of(Role.STABLE))),
                row(
                        "three copies at once",
                        snapshot("v1").on(NVME_A),
                        new MinimumCopies(3, null),
                        "copy nfs by A (minimum-copies)",
                        "copy s3 by A (minimum-copies)"),
                // node spread
                row(
                        "a second node gets it from where it sees it",
                        snapshot("v1").on(NVME_A, S3),
                        new NodeSpread(2, null),
                        "copy nvme-B by B (node-spread)"),
                row(
                        "without a shared copy the other node cannot get at it",
                        snapshot("v1").on(NVME_A),
                        new NodeSpread(2, null),
                        "blocked (node-spread)"),
                row(
                        "who cannot open the shared copy does not copy from it",
                        snapshot("v1").on(NVME_A).closedTo(S3, World.B),
                        new NodeSpread(2, null),
                        "blocked (node-spread)"),
                row(
                        "a copy into another shared store is made by a node that can open this one",
                        snapshot("v1").closedTo(S3, World.A),
                        TWO_COPIES,
                        "copy nfs by B (minimum-copies)"),
                // demotion
                row("what was used lately stays", snapshot("v1").on(NVME_A, S3).age(Duration.ofHours(23)), LEAVE_NVME),
                row(
                        "what was not used leaves",
                        snapshot("v1").on(NVME_A, S3).age(Duration.ofHours(25)),
                        LEAVE_NVME,
                        "remove nvme-A (demote)"),
                row(
                        "a thaw counts as use",
                        snapshot("v1").on(NVME_A, S3).age(DAY.multipliedBy(9)).thawed(HOUR),
                        LEAVE_NVME),
                row(
                        "a slower copy is made first",
                        snapshot("v1").on(NVME_A).age(Duration.ofHours(25)),
                        LEAVE_NVME,
                        "copy nfs by A (demote)",
                        "keep nvme-A (safety)"),
                row(
                        "nothing leaves while it is read",
                        snapshot("v1").on(NVME_A, S3).age(Duration.ofHours(25)).busy(),
                        LEAVE_NVME,
                        "blocked (demote)"),
                row(
                        "small ones may stay",
                        snapshot("v1").on(NVME_A, S3).age(Duration.ofHours(25)),
                        new Demote(TierKind.NVME, DAY, 11 * GB, null)),
                row(
                        "memory is left for the disk",
                        snapshot("v1").on(MEMORY_A, NVME_A).age(Duration.ofHours(25)),
                        new Demote(TierKind.MEMORY, DAY, null, null),
                        "remove memory-A (demote)"),
                new Row(
                        "what one rule protects no other removes",
                        snapshot("v1").on(NVME_A, S3).age(Duration.ofHours(25)),
                        List.of(LEAVE_NVME, TWO_COPIES),
                        List.of("keep nvme-A (minimum-copies)")),
                new Row(
                        "also in the other order",
                        snapshot("v1").on(NVME_A, S3).age(Duration.ofHours(25)),
                        List.of(TWO_COPIES, LEAVE_NVME),
                        List.of("keep nvme-A (minimum-copies)")),
                new Row(
                        "a copy that is only decided is no reason to remove another one",
                        snapshot("v1").on(NVME_A, NFS).age(DAY.multipliedBy(8)),
                        List.of(TWO_COPIES, new Archive(TierKind.S3, DAY.multipliedBy(7), null)),
                        List.of("copy s3 by A (archive)", "keep nvme-A (minimum-copies)", "keep nfs (minimum-copies)")),
                new Row(
                        "nor is one that is on its way",
                        snapshot("v1")
                                .on(NVME_A, NFS)
                                .in(S3, LocationState.COPYING)
                                .age(Duration.ofHours(25)),
                        List.of(LEAVE_NVME, TWO_COPIES),
                        List.of("keep nvme-A (minimum-copies)")),
                row(
                        "not one of two disks is left before the slower copy is there",
                        snapshot("v1").on(NVME_A, NVME_B).age(Duration.ofHours(25)),
                        LEAVE_NVME,
                        "copy nfs by A (demote)",
                        "blocked (demote)",
                        "blocked (demote)"),
                new Row(
                        "a node that is only to get it does not stand in for one that has it",
                        snapshot("v1").on(NVME_A, S3).age(Duration.ofHours(25)),
                        List.of(new NodeSpread(2, null), LEAVE_NVME),
                        List.of(
                                "copy nvme-B by B (node-spread)",
                                "keep nvme-A (node-spread)",
                                "keep nvme-B (node-spread)")),
                // stores that do not answer
                row(
                        "a copy that does not answer for the moment is waited for",
                        snapshot("v1").on(NVME_A).in(S3, Facts.Reach.SILENT),
                        TWO_COPIES,
                        "blocked (minimum-copies)"),
                row(
                        "one that has not answered for long is made anew elsewhere",
                        snapshot("v1").on(NVME_A).in(S3, Facts.Reach.GIVEN_UP),
                        TWO_COPIES,
                        "copy nfs by A (minimum-copies)"),
                row(
                        "and once, whatever becomes of the store",
                        snapshot("v1").on(NVME_A).in(S3, Facts.Reach.GIVEN_UP).in(NFS, LocationState.COPYING),
                        TWO_COPIES),
                new Row(
                        "a copy that does not answer is no reason to remove another one",
                        snapshot("v1")
                                .on(NVME_A, NFS)
                                .in(S3, Facts.Reach.SILENT)
                                .age(Duration.ofHours(25)),
                        List.of(LEAVE_NVME, TWO_COPIES),
                        List.of("keep nvme-A (minimum-copies)")),
                row(
                        "least of all the last one that does",
                        snapshot("v1").on(NVME_A).in(S3, Facts.Reach.SILENT).age(Duration.ofHours(25)),
                        LEAVE_NVME,
                        "keep nvme-A (safety)"),
                row(
                        "nor does a slower copy that does not answer let a faster one go",
                        snapshot("v1")
                                .on(NVME_A, NVME_B)
                                .in(S3, Facts.Reach.SILENT)
                                .age(Duration.ofHours(25)),
                        LEAVE_NVME,
                        "blocked (demote)",
                        "blocked (demote)"),
                row(
                        "nothing is read from where nothing answers",
                        snapshot("v1").in(S3, Facts.Reach.SILENT),
                        new Pin("m", "v1", TierKind.NVME),
                        "blocked (pin)"),
                // copies that nobody can read
                row(
                        "a copy that no node can read for the moment is waited for",
                        snapshot("v1").on(NVME_A).in(S3, Facts.Reach.CLOSED),
                        TWO_COPIES,
                        "blocked (minimum-copies)"),
                row(
                        "one that a scrub could not read is made anew elsewhere",
                        snapshot("v1").on(NVME_A).in(S3, Facts.Reach.UNREADABLE),
                        TWO_COPIES,
                        "copy nfs by A (minimum-copies)"),
                row(
                        "the last one that can be read stays",
                        snapshot("v1").on(NVME_A).in(S3, Facts.Reach.CLOSED).age(Duration.ofHours(25)),
                        LEAVE_NVME,
                        "keep nvme-A (safety)"),
                row(
                        "a slower copy that nobody can read is none",
                        snapshot("v1").on(NVME_A).in(S3, Facts.Reach.UNREADABLE).age(Duration.ofHours(25)),
                        LEAVE_NVME,
                        "copy nfs by A (demote)",
                        "keep nvme-A (safety)"),
                row(
                        "nor does one in the archive let others go",
                        snapshot("v1")
                                .on(NVME_A, NVME_B)
                                .in(S3, Facts.Reach.CLOSED)
                                .age(DAY.multipliedBy(8)),
                        new Archive(TierKind.S3, DAY.multipliedBy(7), null),
                        "blocked (archive)",
                        "blocked (archive)"),
                row(
                        "what one scrub had no answer for may still be copied",
                        snapshot("v1").in(S3, Facts.Reach.CLOSED),
                        new Pin("m", "v1", TierKind.NVME),
                        "copy nvme-B by B (pin)"),
                // archive
                row(
                        "the archive gets its copy first",
                        snapshot("v1").on(NVME_A, NFS).age(DAY.multipliedBy(8)),
                        new Archive(TierKind.S3, DAY.multipliedBy(7), null),
                        "copy s3 by A (archive)",
                        "blocked (archive)",
                        "blocked (archive)"),
                row(
                        "and while it is on its way nothing goes yet",
                        snapshot("v1")
                                .on(NVME_A, NFS)
                                .in(S3, LocationState.COPYING)
                                .age(DAY.multipliedBy(8)),
                        new Archive(TierKind.S3, DAY.multipliedBy(7), null),
                        "blocked (archive)",
                        "blocked (archive)"),
                row(
                        "then everything else goes",
                        snapshot("v1").on(NVME_A, NVME_B, S3).age(DAY.multipliedBy(8)),
                        new Archive(TierKind.S3, DAY.multipliedBy(7), null),
                        "remove nvme-A (archive)",
                        "remove nvme-B (archive)"),
                // promotion and prefetch
                row(
                        "what was thawed lately comes to the disk",
                        snapshot("v1").on(S3).age(DAY).thawed(HOUR),
                        new Promote(HOUR.multipliedBy(2), TierKind.NVME, null, null),
                        "copy nvme-B by B (promote)"),
                row(
                        "being taken is not being used",
                        snapshot("v1").on(S3),
                        new Promote(HOUR.multipliedBy(2), TierKind.NVME, null, null)),
                row(
                        "large ones are not promoted",
                        snapshot("v1").on(S3).age(DAY).thawed(HOUR),
                        new Promote(HOUR.multipliedBy(2), TierKind.NVME, 9 * GB, null)),
                row(
                        "expected demand is met beforehand",
                        snapshot("v1").on(S3).expected(3),
                        new Prefetch(1, TierKind.NVME, 2, null),
                        "copy nvme-B by B (prefetch)",
                        "copy nvme-A by A (prefetch)"),
                row(
                        "without expected demand nothing is fetched",
                        snapshot("v1").on(S3).expected(0.5),
                        new Prefetch(1, TierKind.NVME, 2, null)),
                row(
                        "memory is filled from the node's own store",
                        snapshot("v1").on(NVME_A, S3).expected(3),
                        new Prefetch(1, TierKind.MEMORY, 1, null),
                        "copy memory-A by A (prefetch)"),
                row(
                        "and that one from where else it is, though another node's has it",
                        snapshot("v1").on(NVME_B, S3).expected(3),
                        new Prefetch(1, TierKind.MEMORY, 1, null),
                        "copy nvme-A by A (prefetch)"),
                row(
                        "and nothing before it is there",
                        snapshot("v1").in(NVME_A, LocationState.COPYING).on(S3).expected(3),
                        new Prefetch(1, TierKind.MEMORY, 1, null),
                        "blocked (prefetch)"),
                new Row(
                        "what is expected does not leave",
                        snapshot("v1").on(NVME_A, S3).age(DAY.multipliedBy(2)).expected(3),
                        List.of(new Prefetch(1, TierKind.NVME, 1, null), LEAVE_NVME),
                        List.of("keep nvme-A (prefetch)")),
                // pin
                row(
                        "a pinned version gets its copy",
                        snapshot("v1").on(S3),
                        new Pin("m", "v1", TierKind.NVME),
                        "copy nvme-B by B (pin)"),
                new Row(
                        "a pinned copy stays",
                        snapshot("v1").on(NVME_A, S3).age(DAY.multipliedBy(2)),
                        List.of(new Pin("m", "v1", TierKind.NVME), LEAVE_NVME),
                        List.of("keep nvme-A (pin)")),
                // retention
                row(
                        "old history is deleted",
                        snapshot("v0").role(Role.HISTORY).on(S3).age(DAY.multipliedBy(91)),
                        new Retention(null, DAY.multipliedBy(90), null),
                        "delete (retention)"),
                row(
                        "the newest of a stable version is not",
                        snapshot("v1").on(S3).age(DAY.multipliedBy(91)),
                        new Retention(null, DAY.multipliedBy(90), null)),
                row(
                        "what is read is not",
                        snapshot("v0")
                                .role(Role.HISTORY)
                                .on(S3)
                                .age(DAY.multipliedBy(91))
                                .busy(),
                        new Retention(null, DAY.multipliedBy(90), null),
                        "blocked (retention)"),
                new Row(
                        "a pin stands against deletion",
                        snapshot("v0").role(Role.HISTORY).on(NVME_A).age(DAY.multipliedBy(91)),
                        List.of(new Retention(null, DAY.multipliedBy(90), null), new Pin("m", "v0", TierKind.NVME)),
                        List.of("blocked (retention)")),
                // repair, in every policy
                row(
                        "a corrupt copy in a shared store is made anew",
                        snapshot("v1").on(NVME_A).in(S3, LocationState.CORRUPT),
                        new MinimumCopies(1, null),
                        "remove s3 (repair)",
                        "copy s3 by A (repair)"),
                row(
                        "a corrupt copy stays while no other one can be read, most of it may be good",
                        snapshot("v1").in(NVME_A, Facts.Reach.SILENT).in(S3, LocationState.CORRUPT),
                        new MinimumCopies(1, null),
                        "blocked (repair)",
                        "blocked (minimum-copies)"),
                row(
                        "one in memory is no loss",
                        snapshot("v1").in(NVME_A, Facts.Reach.SILENT).in(MEMORY_A, LocationState.CORRUPT),
                        new Pin("m", "v9", TierKind.S3),
                        "remove memory-A (repair)"),
                row(
                        "a corrupt one of a node's own goes, and the rules decide",
                        snapshot("v1").on(S3).in(NVME_A, LocationState.CORRUPT),
                        TWO_COPIES,
                        "remove nvme-A (repair)",
                        "copy nfs by A (minimum-copies)"));
    }

    @ParameterizedTest
    @MethodSource("table")
    void theRulesDecide(Row row) {
        World world = new World();
        world.with(row.snapshot());

        assertThat(world.decide(row.rules().toArray(Rule[]::new))).isEqualTo(row.decisions());
    }

    @Test
    void aFullStoreIsEmptiedFromItsColdestHistoryOnDownToTheLowMark() {
        // given a disk that is 95 % full of what is also in the bucket
        World world = new World().store(NVME_A, TierKind.NVME, World.A, 100 * GB, 95 * GB);
        world.with(snapshot("v3").on(NVME_A, S3).age(DAY.multipliedBy(9)));
        world.with(snapshot("v1").role(Role.HISTORY).on(NVME_A, S3).thawed(HOUR));
        var cold = world.with(snapshot("v0").role(Role.HISTORY).on(NVME_A, S3).age(DAY));
        var canary = world.with(snapshot("v4").role(Role.CANARY).on(NVME_A, S3).age(DAY));

        // when 85 % is too much and 70 % is wanted
        List<Decision> decisions = world.decisions(new Watermark(TierKind.NVME, 0.85, 0.7));

        // then three go, the stable one stays
        assertThat(decisions).hasSize(3).allMatch(one -> one instanceof Decision.Remove);
        assertThat(decisions.getFirst().snapshot()).isEqualTo(cold);
        assertThat(decisions.getLast().snapshot()).isEqualTo(canary);
        assertThat(decisions.getFirst().reason())
                .isEqualTo("The store is 95 % full, over 85 %; copies leave it down to 70 %.");
    }

    @Test
    void whereChunksAreCompressedAsManyCopiesLeaveAsItTakes() {
        // given a disk that is 95 % full, on which what was saved as 10 GB takes 6
        World world = new World().store(NVME_A, TierKind.NVME, World.A, 100 * GB, 95 * GB);
        for (int i = 0; i < 8; i++) {
            world.with(
                    snapshot("v" + i).role(Role.HISTORY).taking(6 * GB, NVME_A).on(S3));
        }

        // then from 95 % to 70 % five go, and not three
        assertThat(world.decisions(new Watermark(TierKind.NVME, 0.85, 0.7)))
                .hasSize(5)
                .allMatch(one -> one instanceof Decision.Remove);
    }

    @Test
    void whatIsToLeaveACompressedStoreIsCountedAsWhatItTakesThere() {
        // given the same, with the only copies
        World world = new World().without(S3).store(NVME_A, TierKind.NVME, World.A, 100 * GB, 95 * GB);
        for (int i = 0; i < 8; i++) {
            world.with(snapshot("v" + i).role(Role.HISTORY).taking(6 * GB, NVME_A));
        }

        assertThat(world.decide(new Watermark(TierKind.NVME, 0.85, 0.7)))
                .filteredOn("copy nfs by A (watermark)"::equals)
                .hasSize(5);
    }

    @Test
    void betweenTheMarksNothingHappens() {
        World world = new World().store(NVME_A, TierKind.NVME, World.A, 100 * GB, 80 * GB);
        world.with(snapshot("v0").role(Role.HISTORY).on(NVME_A, S3));

        assertThat(world.decide(new Watermark(TierKind.NVME, 0.85, 0.7))).isEmpty();
    }

    @Test
    void aFullStoreWhoseOnlyCopiesAreThereGetsThemElsewhereFirst() {
        World world = new World().store(NVME_A, TierKind.NVME, World.A, 100 * GB, 95 * GB);
        world.with(snapshot("v0").role(Role.HISTORY).on(NVME_A));

        assertThat(world.decide(new Watermark(TierKind.NVME, 0.85, 0.7)))
                .containsExactly("copy nfs by A (watermark)", "keep nvme-A (safety)");
    }

    @Test
    void ofAFullStoreOnlyWhatIsToLeaveIsCopiedElsewhere() {
        // given a disk that is 95 % full, with the only copies of five
        World world = new World().without(S3).store(NVME_A, TierKind.NVME, World.A, 100 * GB, 95 * GB);
        for (int i = 0; i < 5; i++) {
            world.with(snapshot("v" + i).role(Role.HISTORY).on(NVME_A).age(DAY.multipliedBy(9 - i)));
        }

        // then three make room enough, though none of them may go yet
        assertThat(world.decide(new Watermark(TierKind.NVME, 0.85, 0.7)))
                .containsExactly(
                        "copy nfs by A (watermark)",
                        "keep nvme-A (safety)",
                        "copy nfs by A (watermark)",
                        "keep nvme-A (safety)",
                        "copy nfs by A (watermark)",
                        "keep nvme-A (safety)");
    }

    @Test
    void ofAVersionTheNewestSnapshotsAreKept() {
        World world = new World();
        var oldest = world.with(snapshot("v1").on(S3).age(DAY.multipliedBy(3)));
        var older = world.with(snapshot("v1").on(S3).age(DAY.multipliedBy(2)));
        world.with(snapshot("v1").on(S3).age(DAY));
        world.with(snapshot("v2").on(S3).age(DAY.multipliedBy(9)));

        List<Decision> decisions = world.decisions(new Retention(1, null, null));

        assertThat(decisions).extracting(Decision::snapshot).containsExactly(older, oldest);
        assertThat(decisions.getLast().reason()).isEqualTo("Of m/v1 the newest 1 are kept, and 2 are newer.");
    }

    @Test
    void whatIsDeletedIsNotMovedAnyMore() {
        World world = new World();
        world.with(snapshot("v0").role(Role.HISTORY).on(NVME_A).age(DAY.multipliedBy(91)));

        assertThat(world.decide(new Retention(null, DAY.multipliedBy(90), null), TWO_COPIES))
                .containsExactly("delete (retention)");
    }

    @Test
    void onlyTheNewestSnapshotOfAVersionIsSpreadAndFetched() {
        World world = new World();
        world.with(snapshot("v1").on(NVME_A, S3).age(DAY).expected(5));
        world.with(snapshot("v1").on(NVME_A, NVME_B, S3).age(HOUR).expected(5));

        assertThat(world.decide(new NodeSpread(2, null), new Prefetch(1, TierKind.NVME, 2, null)))
                .isEmpty();
    }

    @Test
    void whichSnapshotsAreTheNewestIsFoundInOnePassOverThem() {
        // given 10,000 versions with two snapshots each, and a list that counts who looks
        World world = new World();
        List<SnapshotId> newest = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            world.with(snapshot("v" + i).on(S3).age(DAY));
            newest.add(world.with(snapshot("v" + i).on(S3).age(HOUR)));
        }
        AtomicLong looks = new AtomicLong();
        List<Facts.SnapshotFacts> all = world.facts().snapshots();
        List<Facts.SnapshotFacts> counted = new AbstractList<>() {
            @Override
            public Facts.SnapshotFacts get(int index) {
                looks.incrementAndGet();
                return all.get(index);
            }

            @Override
            public int size() {
                return all.size();
            }
        };

        // when
        List<Decision> decisions = Plan.of(
                new Facts(World.NOW, counted, world.facts().stores()),
                List.of(new NodeSpread(1, null), new Pin("m", "v7", TierKind.NVME)));

        // then the newest of each version is spread, as far as there is room, and none was looked at again for another
        // one's sake
        assertThat(decisions).extracting(Decision::snapshot).containsExactlyInAnyOrderElementsOf(newest);
        assertThat(decisions).filteredOn(one -> one instanceof Decision.Copy).hasSize(17);
        assertThat(looks.get()).isLessThan(10L * all.size());
    }

    @Test
    void theReasonCountsWhatIsThereAndWhatIsNot() {
        assertThat(reasonOfTwoCopies(snapshot("v1").on(NVME_A))).isEqualTo("It has 1 durable copy and should have 2.");
        assertThat(reasonOfTwoCopies(snapshot("v1").on(NVME_A).in(S3, Facts.Reach.SILENT)))
                .isEqualTo(
                        "It has 1 durable copy, 1 more in a store that does not answer for the moment, and should have 2."
                                + " Should that store not come back, another one gets a copy.");
        assertThat(reasonOfTwoCopies(snapshot("v1").on(NVME_A).in(S3, Facts.Reach.GIVEN_UP)))
                .isEqualTo(
                        "It has 1 durable copy, 1 more in a store that has not answered for long, and should have 2.");
        assertThat(reasonOfTwoCopies(snapshot("v1").on(NVME_A).in(S3, Facts.Reach.CLOSED)))
                .isEqualTo("It has 1 durable copy, 1 more that no node can read for the moment, and should have 2."
                        + " Should a scrub not be able to read it, another store gets a copy.");
        assertThat(reasonOfTwoCopies(snapshot("v1").on(NVME_A).in(S3, Facts.Reach.UNREADABLE)))
                .isEqualTo("It has 1 durable copy, 1 more that a scrub could not read, and should have 2.");
    }

    private static String reasonOfTwoCopies(World.Of of) {
        World world = new World();
        world.with(of);
        return world.decisions(TWO_COPIES).getFirst().reason();
    }

    @Test
    void aStoreWithoutRoomIsPassedOver() {
        World world = new World().store(NFS, TierKind.NFS, null, 100 * GB, 95 * GB);
        world.with(snapshot("v1").on(NVME_A));
        world.with(snapshot("v2").on(NVME_A));

        assertThat(world.decide(TWO_COPIES))
                .containsExactly("copy s3 by A (minimum-copies)", "copy s3 by A (minimum-copies)");
    }

    @Test
    void roomThatOneDecisionTakesTheNextOneDoesNotHave() {
        World world = new World().without(S3).store(NFS, TierKind.NFS, null, 100 * GB, 85 * GB);
        world.with(snapshot("v1").on(NVME_A));
        world.with(snapshot("v2").on(NVME_A));

        assertThat(world.decide(TWO_COPIES))
                .containsExactly("copy nfs by A (minimum-copies)", "blocked (minimum-copies)");
    }

    @Test
    void whereChunksAreCompressedThereIsRoomForMore() {
        World world = new World().without(S3).store(NFS, TierKind.NFS, null, 100 * GB, 85 * GB, 0.6);
        world.with(snapshot("v1").on(NVME_A));
        world.with(snapshot("v2").on(NVME_A));
        world.with(snapshot("v3").on(NVME_A));

        assertThat(world.decide(TWO_COPIES))
                .containsExactly(
                        "copy nfs by A (minimum-copies)", "copy nfs by A (minimum-copies)", "blocked (minimum-copies)");
    }

    @Test
    void whatIsOnItsWayToOneNodesStoreForItsMemoryIsNotBroughtToAnotherToo() {
        World world = new World().store(StoreId.next(), TierKind.MEMORY, World.B, 100 * GB, 0);
        world.with(snapshot("v1").in(NVME_A, LocationState.COPYING).on(S3).expected(3));

        assertThat(world.decide(new Prefetch(1, TierKind.MEMORY, 1, null))).containsExactly("blocked (prefetch)");
    }

    @Test
    void whatSomebodyWillWaitForIsMovedFirst() {
        World world = new World();
        world.with(snapshot("v1").on(S3).expected(3));

        assertThat(((Decision.Copy) world.decisions(new Prefetch(1, TierKind.NVME, 1, null))
                                .getFirst())
                        .priority())
                .isEqualTo(TransferPriority.URGENT);
        assertThat(((Decision.Copy) world.decisions(new MinimumCopies(2, null)).getFirst()).priority())
                .isEqualTo(TransferPriority.NORMAL);
    }

    @Test
    void reasonsTellBothSidesInNumbers() {
        World world = new World();
        world.with(snapshot("v1").on(NVME_A, S3).age(Duration.ofHours(51)).expected(2.26));

        assertThat(world.decisions(LEAVE_NVME).getFirst().reason())
                .isEqualTo("It was not thawed for 2 d 3 h; after 1 d it leaves NVME.");
        assertThat(world.decisions(new Prefetch(1, TierKind.MEMORY, 1, null))
                        .getFirst()
                        .reason())
                .isEqualTo("The forecast expects 2.3 replicas of m; from 1.0 on it should be on MEMORY of 1 nodes.");
    }

    @Test
    void settingsThatMakeNoSenseSaySo() {
        assertThat(Stream.of(
                                new Watermark(TierKind.NVME, 0.7, 0.8),
                                new Archive(TierKind.NVME, DAY, null),
                                new Demote(TierKind.S3, DAY, null, null),
                                new Promote(DAY, TierKind.S3, null, null),
                                new Prefetch(1, TierKind.S3, 1, null),
                                new Retention(null, null, null))
                        .map(Rule::whyInvalid))
                .allMatch(java.util.Optional::isPresent);
    }
}
