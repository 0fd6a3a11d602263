package io.gpusnap.service.tier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.service.platform.id.SnapshotId;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ObjectLedgerTest {
    private static final int SCHEDULES = 10_000;
    private static final int STEPS = 200;
    private static final Duration GRACE = Duration.ofHours(24);

    private final MemoryTable table = new MemoryTable();
    private final ObjectLedger ledger = new ObjectLedger(table);
    private final SnapshotId snapshot = SnapshotId.next();

    private void pass(Duration time) {
        table.now = table.now.plus(time);
    }

    private ObjectState state(String name) {
        return table.states(java.util.List.of(name)).get(name);
    }

    @Test
    void inTenThousandOrdersOfEventsNothingThatIsNeededIsLostAndNothingElseIsLeft() {
        Map<String, Integer> events = new TreeMap<>();
        for (long seed = 0; seed < SCHEDULES; seed++) {
            StoreModel model = new StoreModel(seed);
            try {
                model.run(STEPS);
                model.settle();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
            model.events().forEach((event, count) -> events.merge(event, count, Integer::sum));
        }

        // every kind of event took part, also those that all this is about
        assertThat(events)
                .containsOnlyKeys(
                        "saved", "pushed", "reused", "thawed", "promoted", "removed", "kept", "deleted", "refused");
        assertThat(events.get("refused"))
                .as("transfers that came too late for an object")
                .isPositive();
        events.remove("refused");
        assertThat(events)
                .allSatisfy((event, count) -> assertThat(count).as(event).isGreaterThan(SCHEDULES));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void anyProtectionThatIsTakenAwayIsMissedWithinTheseOrders(Flaw flaw) {
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> {
                    for (long seed = 0; seed < SCHEDULES; seed++) {
                        StoreModel model = new StoreModel(seed, flaw);
                        model.run(STEPS);
                        model.settle();
                    }
                })
                .withMessageContaining(flaw.noticed);
    }

    @Test
    void aSeedGoesTheSameWayTwice() {
        for (long seed = 0; seed < 20; seed++) {
            StoreModel once = new StoreModel(seed);
            StoreModel again = new StoreModel(seed);
            once.run(STEPS);
            again.run(STEPS);

            assertThat(again.state()).as("seed %d", seed).isEqualTo(once.state());
        }
    }

    @Test
    void aReferenceSavesACondemnedObject() {
        ledger.listed(Map.of("a", 1L));

        boolean taken = ledger.reference(snapshot, Map.of("a", 1L));
        pass(GRACE.multipliedBy(2));
        ledger.condemn(10);

        assertThat(taken).isTrue();
        assertThat(ledger.doomed(GRACE, 10)).isEmpty();
        assertThat(state("a")).isEqualTo(ObjectState.USED);
    }

    @Test
    void whatIsDoomedIsPastSaving() {
        ledger.listed(Map.of("a", 1L));
        pass(GRACE.plusSeconds(1));

        assertThat(ledger.doomed(GRACE, 10)).containsExactly("a");
        assertThat(ledger.reference(snapshot, Map.of("a", 1L, "b", 1L))).isFalse();
        assertThat(state("b")).isNull();
    }

    @Test
    void beforeTheGraceIsOverNothingIsDoomed() {
        ledger.reference(snapshot, Map.of("a", 1L));
        ledger.release(snapshot);
        ledger.condemn(10);
        pass(GRACE.minusSeconds(1));

        assertThat(ledger.doomed(GRACE, 10)).isEmpty();
    }

    @Test
    void whatWasCondemnedWhileATransferRunsOutlivesIt() {
        // given a transfer that began before the object was condemned, and needs longer than the grace
        table.transfers.put("long", table.now);
        pass(Duration.ofHours(1));
        ledger.listed(Map.of("a", 1L));
        pass(GRACE.multipliedBy(3));

        assertThat(ledger.doomed(GRACE, 10)).isEmpty();
        assertThat(ledger.reference(snapshot, Map.of("a", 1L))).isTrue();
    }

    @Test
    void whatWasDeletedIsRememberedAsLongAsATransferMayHaveSeenIt() {
        ledger.listed(Map.of("a", 1L));
        pass(GRACE.plusSeconds(1));
        table.transfers.put("old", table.now);
        pass(Duration.ofMinutes(1));
        // the transfer began after the object was condemned, so it does not keep it
        ledger.deleted(ledger.doomed(GRACE, 10));
        pass(Duration.ofMinutes(1));
        ledger.forget(10);

        assertThat(ledger.reference(snapshot, Map.of("a", 1L))).isFalse();
        table.transfers.clear();
        assertThat(ledger.forget(10)).isEqualTo(1);
    }

    @Test
    void aSweepThatDidNotReportIsToldAgain() {
        ledger.listed(Map.of("a", 1L));
        pass(GRACE.plusSeconds(1));
        ledger.doomed(GRACE, 10);

        assertThat(ledger.doomed(GRACE, 10)).containsExactly("a");
    }
}
