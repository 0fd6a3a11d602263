package io.gpusnap.service.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.platform.id.RolloutId;
import io.gpusnap.service.version.Versions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The steps by themselves: measurements and times in, what happened out. */
class RolloutStepsTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private static StepSpec weight(int percent) {
        return new StepSpec(percent, null, null, null);
    }

    private static StepSpec pause(Integer seconds) {
        return new StepSpec(null, new StepSpec.Pause(seconds), null, null);
    }

    private static StepSpec analysis(int count, int failureLimit, int inconclusiveLimit) {
        return new StepSpec(
                null,
                null,
                new AnalysisSpec(List.of(new AnalysisSpec.Metric(
                        "m",
                        AnalysisSpec.Kind.THAW_SUCCESS_RATE,
                        10,
                        count,
                        failureLimit,
                        inconclusiveLimit,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null))),
                null);
    }

    private static Rollout rollout(StepSpec... steps) {
        return new Rollout(
                RolloutId.next(), "stable", Versions.named("v1"), Versions.named("v2"), List.of(steps), START);
    }

    private static List<RolloutEvent.Type> types(List<Happening> happened) {
        return happened.stream().map(Happening::type).toList();
    }

    private static Instant at(int seconds) {
        return START.plusSeconds(seconds);
    }

    private static List<Happening> measured(Rollout rollout, Measurement.Verdict verdict, int seconds) {
        return rollout.advance(Map.of("m", new Measurement(at(seconds), verdict, 1.0, "said so.")), at(seconds));
    }

    @Test
    void aTimedPauseHoldsTheSharesUntilItIsOver() {
        // given
        Rollout rollout = rollout(weight(10), pause(60), weight(50));

        // when, then
        assertThat(types(rollout.advance(Map.of(), at(0))))
                .containsExactly(RolloutEvent.Type.WEIGHT_SET, RolloutEvent.Type.PAUSED);
        assertThat(rollout.phase()).isEqualTo(RolloutPhase.PAUSED);
        assertThat(rollout.nextCheckAt()).contains(at(60));
        assertThat(rollout.advance(Map.of(), at(59))).isEmpty();
        assertThat(rollout.weight()).isEqualTo(10);
        assertThat(types(rollout.advance(Map.of(), at(60))))
                .containsExactly(RolloutEvent.Type.RESUMED, RolloutEvent.Type.WEIGHT_SET, RolloutEvent.Type.COMPLETED);
        assertThat(rollout.phase()).isEqualTo(RolloutPhase.HEALTHY);
    }

    @Test
    void whatHappensIsOfTheStepThatItHappensAt() {
        Rollout rollout = rollout(weight(10), pause(null), analysis(1, 0, 0), weight(50));
        List<Happening> happened = new ArrayList<>(rollout.advance(Map.of(), at(0)));
        happened.addAll(rollout.promote(false, "looks good", at(1)));
        happened.addAll(measured(rollout, Measurement.Verdict.SUCCESSFUL, 2));

        assertThat(happened.stream().map(one -> one.step() + " " + one.type()))
                .containsExactly(
                        "0 WEIGHT_SET",
                        "1 PAUSED",
                        "1 PROMOTED",
                        "1 RESUMED",
                        "2 ANALYSIS_STARTED",
                        "2 ANALYSIS_SUCCEEDED",
                        "3 WEIGHT_SET",
                        "4 COMPLETED");
    }

    @Test
    void aPauseWithoutTimeWaitsForSomebody() {
        Rollout rollout = rollout(weight(10), pause(null), weight(50), pause(null));
        rollout.advance(Map.of(), at(0));

        assertThat(rollout.advance(Map.of(), at(1_000_000))).isEmpty();
        assertThat(rollout.nextCheckAt()).isEmpty();
        assertThat(types(rollout.promote(false, "looks good", at(5))))
                .containsExactly(
                        RolloutEvent.Type.PROMOTED,
                        RolloutEvent.Type.RESUMED,
                        RolloutEvent.Type.WEIGHT_SET,
                        RolloutEvent.Type.PAUSED);
        assertThat(rollout.weight()).isEqualTo(50);
    }

    @Test
    void anAnalysisThatSucceedsLetsItGoOn() {
        Rollout rollout = rollout(weight(10), analysis(2, 0, 0), weight(100));
        rollout.advance(Map.of(), at(0));
        assertThat(rollout.nextCheckAt()).contains(at(0));

        assertThat(measured(rollout, Measurement.Verdict.SUCCESSFUL, 0)).isEmpty();
        assertThat(rollout.nextCheckAt()).contains(at(10));
        assertThat(types(measured(rollout, Measurement.Verdict.SUCCESSFUL, 10)))
                .containsExactly(
                        RolloutEvent.Type.ANALYSIS_SUCCEEDED,
                        RolloutEvent.Type.WEIGHT_SET,
                        RolloutEvent.Type.COMPLETED);
    }

    @Test
    void anAnalysisThatFailsRollsBackAtOnce() {
        Rollout rollout = rollout(weight(50), analysis(10, 1, 0), weight(100));
        rollout.advance(Map.of(), at(0));

        assertThat(measured(rollout, Measurement.Verdict.FAILED, 0)).isEmpty();
        assertThat(types(measured(rollout, Measurement.Verdict.FAILED, 10)))
                .containsExactly(RolloutEvent.Type.ANALYSIS_FAILED, RolloutEvent.Type.ROLLED_BACK);
        assertThat(rollout.phase()).isEqualTo(RolloutPhase.DEGRADED);
        assertThat(rollout.weight()).isZero();
        assertThat(rollout.advance(Map.of(), at(1_000))).isEmpty();
    }

    @Test
    void anAnalysisThatSaysNothingPausesAndCanBePromoted() {
        Rollout rollout = rollout(weight(50), analysis(3, 0, 1), weight(70), pause(null));
        rollout.advance(Map.of(), at(0));

        measured(rollout, Measurement.Verdict.INCONCLUSIVE, 0);
        assertThat(rollout.phase()).isEqualTo(RolloutPhase.PROGRESSING);
        measured(rollout, Measurement.Verdict.INCONCLUSIVE, 10);
        assertThat(rollout.phase()).isEqualTo(RolloutPhase.PAUSED);
        assertThat(rollout.weight()).isEqualTo(50);

        rollout.promote(false, "I looked myself", at(20));
        assertThat(rollout.weight()).isEqualTo(70);
    }

    @Test
    void whatIsHeldBySomebodyDoesNotGoOnByItself() {
        Rollout rollout = rollout(weight(10), pause(60), weight(50), pause(null));
        rollout.advance(Map.of(), at(0));
        rollout.pause("wait", at(1));

        assertThat(rollout.advance(Map.of(), at(1_000))).isEmpty();
        // promoted, it is in its timed pause again
        rollout.promote(false, "go", at(1_000));
        assertThat(rollout.phase()).isEqualTo(RolloutPhase.PAUSED);
        assertThat(rollout.nextCheckAt()).contains(at(1_060));
    }

    @Test
    void heldWhereItWaitedForAPromotionAnywayOnePromotionIsEnough() {
        Rollout rollout = rollout(weight(10), pause(null), weight(50), pause(null));
        rollout.advance(Map.of(), at(0));
        rollout.pause("hold", at(1));

        rollout.promote(false, "go", at(2));
        assertThat(rollout.weight()).isEqualTo(50);
    }

    @Test
    void promotedInFullItIsAtItsEnd() {
        Rollout rollout = rollout(weight(10), pause(null), analysis(1, 0, 0));
        rollout.advance(Map.of(), at(0));

        assertThat(types(rollout.promote(true, "sure", at(1)))).contains(RolloutEvent.Type.COMPLETED);
        assertThat(rollout.phase()).isEqualTo(RolloutPhase.HEALTHY);
    }

    @Test
    void anAbortedOneGivesEverybodyTheVersionBeforeAndCanBeTriedAgain() {
        Rollout rollout = rollout(weight(10), pause(null));
        rollout.advance(Map.of(), at(0));

        rollout.abort("no", at(1));
        assertThat(rollout.phase()).isEqualTo(RolloutPhase.ABORTED);
        assertThat(rollout.weight()).isZero();

        rollout.retry("again", at(2));
        assertThat(rollout.phase()).isEqualTo(RolloutPhase.PAUSED);
        assertThat(rollout.weight()).isEqualTo(10);
        assertThat(rollout.startedAt()).isEqualTo(at(2));
    }

    @Test
    void aScaleIsSetAndTakenAway() {
        Rollout rollout = rollout(
                new StepSpec(null, null, null, new CanaryScale(2, null)),
                pause(null),
                new StepSpec(null, null, null, new CanaryScale(null, null)),
                pause(null));
        rollout.advance(Map.of(), at(0));
        assertThat(rollout.canaryScale()).contains(new CanaryScale(2, null));

        rollout.promote(false, "go", at(1));
        assertThat(rollout.canaryScale()).isEmpty();
    }

    @Test
    void sharesChangeTheirEpochWheneverTheyChange() {
        Rollout rollout = rollout(weight(10), pause(null), weight(20), pause(null));
        rollout.advance(Map.of(), at(0));
        long first = rollout.shareEpoch();

        rollout.pause("hold", at(1));
        assertThat(rollout.shareEpoch()).isEqualTo(first);
        rollout.abort("no", at(2));
        assertThat(rollout.shareEpoch()).isEqualTo(first + 1);
        assertThat(Duration.between(rollout.phaseSince(), at(2))).isZero();
    }
}
