package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.gpu.ProcessState;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.TierKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several models on one GPU: who runs changes, and never is it nobody. */
class SwitchIT {

    /** What leaves nothing behind: whether it was done when it fails makes no difference. */
    private static final Set<String> ONLY_ASK =
            Set.of("driver", "devices", "state", "status", "allocations", "hints", "gpus", "digest");

    @TempDir
    Path folder;

    private TwoModels models;

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        models = TwoModels.start(folder, SuspendDepth.CONTEXT_KEPT);
    }

    @AfterEach
    void end() throws Exception {
        if (models != null) {
            models.close();
        }
    }

    @Test
    void twoModelsTakeTurnsAndAnswerAsBefore() throws Exception {
        for (int round = 1; round <= 20; round++) {
            // given
            TestWorkload to = round % 2 == 1 ? models.first() : models.second();
            TestWorkload from = round % 2 == 1 ? models.second() : models.first();
            // when
            TestNode.Ended ended = models.switchTo(to);
            // then
            models.assertAnswers(to, "round " + round);
            models.assertWaits(from, "round " + round);
            assertThat(models.gpu().state(from.process().pid())).isEqualTo(ProcessState.RUNNING);
            ThawOutcome thaw = ended.fact(ThawOutcome.class);
            assertThat(thaw.pid()).isEqualTo(to.process().pid());
            assertThat(thaw.stageSeconds().keySet()).contains("preflight", "verify", "suspend", "fill", "resume");
            assertThat(ended.log().recallAll(SaveOutcome.class)).singleElement().satisfies(save -> {
                assertThat(save.snapshot()).isEqualTo(models.frozenAs(from));
                assertThat(save.workloadAlive()).isTrue();
                assertThat(save.pauseSeconds()).isPositive();
            });
            assertNothingIsHeld();
        }
        models.node().verify(models.frozenAs(models.first())).succeeded();
    }

    @Test
    void nobodyWaitsForTheJournalsDiskUntilTheOtherServes() throws Exception {
        // given
        SwitchRequest request = models.request(models.first(), SwitchRequest.Policy.EVICT_IF_NEEDED);
        Path journal = folder.resolve("state/journal/" + request.operation() + "/events.log");
        List<String> lines = new ArrayList<>();
        // when
        TestNode.Ended ended = models.node()
                .switchTo(request, new StageStarts("health", () -> {
                    try {
                        lines.addAll(Files.readAllLines(journal));
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                }))
                .succeeded();
        // then all of it was remembered, and none of it was synced
        models.switched(models.first(), request);
        assertThat(lines)
                .hasSizeGreaterThan(20)
                .allMatch(line -> line.substring(8).startsWith("@0 "));
        assertThat(Files.readAllLines(journal).getLast().substring(8)).doesNotStartWith("@0 ");
        assertThat(ended.log().recallAll(SaveOutcome.class)).hasSize(1);
        models.assertAnswers(models.first(), "it serves");
    }

    @Test
    void aModelWhoseContextLeftComesBackBySwitchToo() throws Exception {
        models.close();
        models = TwoModels.start(folder.resolve("deep"), SuspendDepth.CONTEXT_RELEASED);
        assertThat(models.gpu().state(models.first().process().pid())).isEqualTo(ProcessState.CHECKPOINTED);
        models.switchTo(models.first());
        models.assertAnswers(models.first(), "deep");
        models.switchTo(models.second());
        models.assertAnswers(models.second(), "kept");
    }

    @Test
    void aPoolThatHoldsNeitherOfThemIsEnough() throws Exception {
        models.close();
        models = TwoModels.start(folder.resolve("small"), SuspendDepth.CONTEXT_KEPT, 10L * Slot.BYTES);
        for (TestWorkload to : List.of(models.first(), models.second(), models.first())) {
            models.switchTo(to);
            models.assertAnswers(to, "small pool");
        }
        // and one that fails after the memory has left
        SwitchRequest request = models.request(models.second(), SwitchRequest.Policy.EVICT_IF_NEEDED);
        models.gpu().fail("remap", FailingGpu.Moment.BEFORE, 1);
        assertThat(models.node().switchTo(request, StageListener.NONE).failed().undoProblems())
                .isEmpty();
        models.assertAnswers(models.first(), "back from store and pool together");
        assertNothingIsHeld();
    }

    @Test
    void whoeverFitsBesideIsLeftAloneUnlessOthersAreToBeSuspended() throws Exception {
        // given a GPU with room for both
        models.gpu().disguise(device -> device);
        models.second().end();
        SwitchRequest noneNeeded = TwoModels.request(
                models.frozenAs(models.first()),
                SwitchRequest.Policy.EVICT_IF_NEEDED,
                List.of(models.second().process()));
        // when
        TestNode.Ended ended =
                models.node().switchTo(noneNeeded, StageListener.NONE).succeeded();
        // then
        assertThat(ended.log().recallAll(SaveOutcome.class)).isEmpty();
        models.assertAnswers(models.first(), "nobody had to make room");
    }

    @Test
    void othersMakeRoomWhereThatIsThePolicy() throws Exception {
        models.gpu().disguise(device -> device);
        SwitchRequest request = models.request(models.first(), SwitchRequest.Policy.SUSPEND_OTHERS);
        TestNode.Ended ended =
                models.node().switchTo(request, StageListener.NONE).succeeded();
        models.switched(models.first(), request);
        assertThat(ended.log().recallAll(SaveOutcome.class)).hasSize(1);
        models.assertAnswers(models.first(), "first");
        models.assertWaits(models.second(), "second");
    }

    @Test
    void oneWhoUsesTheGpuInAChildOnlyMakesRoomToo() throws Exception {
        models.gpu().disguise(device -> device);
        try (TestWorkload below =
                TestWorkload.startBelowShell(folder.resolve("below"), Map.of("GPUSNAP_WORKLOAD", "below"))) {
            String answer = below.answer("warm");
            SwitchRequest request = TwoModels.request(
                    models.frozenAs(models.first()),
                    SwitchRequest.Policy.SUSPEND_OTHERS,
                    List.of(models.second().process(), below.process()));
            // when
            TestNode.Ended ended =
                    models.node().switchTo(request, StageListener.NONE).succeeded();
            // then
            assertThat(ended.log().recallAll(SaveOutcome.class)).hasSize(2);
            models.assertAnswers(models.first(), "first");
            // and it comes back
            models.node()
                    .switchTo(
                            TwoModels.request(
                                    request.candidates().get(1).snapshot(),
                                    SwitchRequest.Policy.EVICT_IF_NEEDED,
                                    List.of()),
                            StageListener.NONE)
                    .succeeded();
            assertThat(below.answer("warm")).isEqualTo(answer);
        }
    }

    @Test
    void aResumeThatFailsAnywhereBringsTheOtherBack() throws Exception {
        for (FailingGpu.Moment moment : FailingGpu.Moment.values()) {
            for (String verb : List.of(
                    "driver",
                    "devices",
                    "state",
                    "open",
                    "status",
                    "remap",
                    "allocations",
                    "import",
                    "fill-zero",
                    "digest",
                    "copy",
                    "resume")) {
                if (moment == FailingGpu.Moment.AFTER && (verb.equals("resume") || ONLY_ASK.contains(verb))) {
                    continue; // the gate is open: that is a success whose answer was lost; or it makes no difference
                }
                String what = verb + " " + moment;
                SwitchRequest request = models.request(models.first(), SwitchRequest.Policy.EVICT_IF_NEEDED);
                // when
                TestNode.Ended ended = models.node()
                        .switchTo(
                                request,
                                new StageStarts(
                                        "driver-restore", () -> models.gpu().fail(verb, moment, 1)));
                // then
                assertThat(models.gpu().hasFailed()).as(what).isTrue();
                assertThat(ended.failed().code()).as(what).isEqualTo(FailureCode.DRIVER_FAILED);
                assertThat(ended.failed().undoProblems()).as(what).isEmpty();
                assertThat(ended.log().recallAll(WorkloadLost.class)).as(what).isEmpty();
                models.assertAnswers(models.second(), what);
                models.assertWaits(models.first(), what);
                assertThat(models.node().engines().snapshots())
                        .as(what)
                        .doesNotContain(request.candidates().getFirst().snapshot());
                assertNothingIsHeld();
            }
        }
        // when all is well again
        models.switchTo(models.first());
        models.assertAnswers(models.first(), "after all");
    }

    @Test
    void whoServesIsAskedAgainBeforeItIsGivenUp() throws Exception {
        // given a workload that does not answer the last question, whether it runs
        SwitchRequest request = models.request(models.first(), SwitchRequest.Policy.EVICT_IF_NEEDED);
        // when
        models.node()
                .switchTo(
                        request,
                        new StageStarts("health", () -> models.gpu().fail("status", FailingGpu.Moment.BEFORE, 1)))
                .succeeded();
        // then
        assertThat(models.gpu().hasFailed()).isTrue();
        models.switched(models.first(), request);
        models.assertAnswers(models.first(), "it serves");
        models.assertWaits(models.second(), "it waits");
    }

    @Test
    void aDriverThatDoesNotSayWhatItIsIsAskedAgainBeforeASuspendedOneIsGivenUp() throws Exception {
        for (String verb : List.of("driver", "devices")) {
            SwitchRequest request = models.request(models.first(), SwitchRequest.Policy.EVICT_IF_NEEDED);
            boolean[] armed = new boolean[1];
            // when
            TestNode.Ended ended = models.node()
                    .switchTo(request, new StageStarts("store", () -> {
                        if (!armed[0]) {
                            models.gpu().fail(verb, FailingGpu.Moment.BEFORE, 1);
                        }
                        armed[0] = true;
                    }))
                    .succeeded();
            // then
            assertThat(models.gpu().hasFailed()).as(verb).isTrue();
            assertThat(ended.log().stages().getLast().attempt()).as(verb).isEqualTo(2);
            models.switched(models.first(), request);
            models.assertWaits(models.second(), verb);
            models.switchTo(models.second());
            models.assertAnswers(models.second(), verb);
        }
    }

    @Test
    void aSwitchThatIsCancelledLateStillLeavesTheOtherServing() throws Exception {
        for (String stage : List.of("suspend", "driver-restore", "remap", "fill")) {
            SwitchRequest request = models.request(models.first(), SwitchRequest.Policy.EVICT_IF_NEEDED);
            TestNode.Ended ended = models.node().cancelledAt(stage, request);
            assertThat(ended.outcome()).as(stage).isInstanceOf(OperationOutcome.Cancelled.class);
            models.assertAnswers(models.second(), stage);
            models.assertWaits(models.first(), stage);
        }
    }

    @Test
    void aSuspendThatFailsAnywhereLeavesBothAsTheyWere() throws Exception {
        for (FailingGpu.Moment moment : FailingGpu.Moment.values()) {
            for (String verb : List.of(
                    "open",
                    "quiesce",
                    "allocations",
                    "hints",
                    "gpus",
                    "import",
                    "digest",
                    "copy",
                    "unimport",
                    "release")) {
                if (moment == FailingGpu.Moment.AFTER && ONLY_ASK.contains(verb)) {
                    continue;
                }
                String what = verb + " " + moment;
                OperationOutcome.Failed failed = models.node()
                        .switchTo(
                                models.request(models.first(), SwitchRequest.Policy.EVICT_IF_NEEDED),
                                new StageStarts("suspend", () -> models.gpu().fail(verb, moment, 1)))
                        .failed();
                assertThat(models.gpu().hasFailed()).as(what).isTrue();
                assertThat(failed.code()).as(what).isEqualTo(FailureCode.DRIVER_FAILED);
                assertThat(failed.stage()).as(what).contains("suspend");
                assertThat(failed.undoProblems()).as(what).isEmpty();
                models.assertAnswers(models.second(), what);
                models.assertWaits(models.first(), what);
            }
        }
        models.gpu().healthy();
        models.switchTo(models.first());
        models.assertAnswers(models.first(), "after all");
    }

    @Test
    void aStoreThatFailsLaterDoesNotTouchWhoServes() throws Exception {
        SwitchRequest request = models.request(models.first(), SwitchRequest.Policy.EVICT_IF_NEEDED);
        SnapshotId leaving = request.candidates().getFirst().snapshot();
        // when the end of the other's save breaks once the first serves
        TestNode.Ended ended = models.node().switchTo(request, new StageStarts("store", () -> {
            throw new IllegalStateException("made to fail");
        }));
        // then
        assertThat(ended.failed().stage()).contains("store");
        models.assertAnswers(models.first(), "it serves");
        assertThat(models.node().engines().snapshots()).doesNotContain(leaving);
        // and the other, which found no room to come back to, is reported and not left hanging
        assertThat(ended.log().recallAll(WorkloadLost.class)).hasSize(1);
        assertThat(ended.failed().undoProblems()).singleElement().asString().contains("OUT_OF_MEMORY");
        assertNothingIsHeld();
    }

    @Test
    void whoCanBeStoredIsKeptThoughAnotherCannot() throws Exception {
        // given two who make room, and a store of the first of them that fails for good
        models.gpu().disguise(device -> device);
        TestWorkload third = models.workload("third", 4 * TwoModels.VRAM_BYTES);
        SwitchRequest request = TwoModels.request(
                models.frozenAs(models.first()),
                SwitchRequest.Policy.SUSPEND_OTHERS,
                List.of(models.second().process(), third.process()));
        SnapshotId lost = request.candidates().get(0).snapshot();
        SnapshotId kept = request.candidates().get(1).snapshot();
        // when
        TestNode.Ended ended = models.node()
                .switchTo(
                        request,
                        new StageStarts(
                                "store",
                                () -> models.gpu().fail("driver", FailingGpu.Moment.BEFORE, 1, GpuStatus.NO_DRIVER)));
        // then
        assertThat(ended.failed().stage()).contains("store");
        assertThat(ended.failed().code()).isEqualTo(FailureCode.CAPABILITY_MISSING);
        models.assertAnswers(models.first(), "it serves");
        assertThat(models.node().engines().snapshots()).contains(kept).doesNotContain(lost);
        assertThat(ended.log().recallAll(WorkloadLost.class)).hasSize(1);
        assertThat(models.second().isAlive()).isFalse();
        assertNothingIsHeld();
        // and the one that was stored comes back
        models.first().end();
        models.node()
                .switchTo(TwoModels.request(kept, SwitchRequest.Policy.EVICT_IF_NEEDED, List.of()), StageListener.NONE)
                .succeeded();
        models.assertAnswers(third, "third");
    }

    @Test
    void aDiskThatFailsForAMomentIsWaitedFor() throws Exception {
        // given something that is in the way of the manifest, until the second attempt
        SwitchRequest request = models.request(models.first(), SwitchRequest.Policy.EVICT_IF_NEEDED);
        Path obstacle = folder.resolve("nvme/pending")
                .resolve(request.candidates().getFirst().snapshot() + ".json");
        StageStarts obstruct = new StageStarts("store", () -> {
            try {
                if (!Files.deleteIfExists(obstacle)) {
                    Files.createDirectories(obstacle);
                }
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        // when
        TestNode.Ended ended = models.node().switchTo(request, obstruct).succeeded();
        // then
        models.switched(models.first(), request);
        assertThat(ended.log().stages().getLast().attempt()).isEqualTo(2);
        models.assertAnswers(models.first(), "first");
        models.switchTo(models.second());
        models.assertAnswers(models.second(), "second");
    }

    @Test
    void tooLittleRoomIsRefusedWithNumbersAndNothingTouched() throws Exception {
        // given others that hold the rest of the GPU
        models.gpu().disguise(device -> FailingGpu.withFreeBytes(device, 1 << 20));
        // when there is nobody to make room
        OperationOutcome.Failed alone = models.node()
                .switchTo(
                        TwoModels.request(
                                models.frozenAs(models.first()), SwitchRequest.Policy.EVICT_IF_NEEDED, List.of()),
                        StageListener.NONE)
                .failed();
        // then
        assertThat(alone.code()).isEqualTo(FailureCode.INSUFFICIENT_VRAM);
        assertThat(alone.detail()).contains("1048576 bytes free").contains("0 candidates");
        models.assertAnswers(models.second(), "second");
        models.assertWaits(models.first(), "first");
    }

    @Test
    void whoCannotBeSavedIsPassedOverForTheNextWhoCan() throws Exception {
        try (CommandWorkload unsavable = CommandWorkload.start(folder)) {
            // given one that is asked first and holds managed memory
            unsavable.tell("alloc managed 5000000");
            unsavable.tell("alloc dlsym 8000000");
            SwitchRequest onlyThat = TwoModels.request(
                    models.frozenAs(models.first()),
                    SwitchRequest.Policy.EVICT_IF_NEEDED,
                    List.of(unsavable.process()));
            // when it is the only one
            OperationOutcome.Failed failed =
                    models.node().switchTo(onlyThat, StageListener.NONE).failed();
            // then
            assertThat(failed.code()).isEqualTo(FailureCode.INSUFFICIENT_VRAM);
            assertThat(failed.detail())
                    .contains("0 candidates")
                    .contains(unsavable.process().toString())
                    .contains("managed memory");
            // when there is another
            SwitchRequest both = TwoModels.request(
                    models.frozenAs(models.first()),
                    SwitchRequest.Policy.EVICT_IF_NEEDED,
                    List.of(unsavable.process(), models.second().process()));
            TestNode.Ended ended =
                    models.node().switchTo(both, StageListener.NONE).succeeded();
            // then
            assertThat(ended.log().recallAll(SaveOutcome.class))
                    .extracting(SaveOutcome::snapshot)
                    .containsExactly(both.candidates().get(1).snapshot());
            models.assertAnswers(models.first(), "first");
            // and all others cannot be suspended where one cannot
            assertThat(models.node()
                            .switchTo(
                                    TwoModels.request(
                                            both.candidates().get(1).snapshot(),
                                            SwitchRequest.Policy.SUSPEND_OTHERS,
                                            List.of(
                                                    unsavable.process(),
                                                    models.first().process())),
                                    StageListener.NONE)
                            .failed()
                            .detail())
                    .contains("managed memory");
            models.assertAnswers(models.first(), "still");
        }
    }

    @Test
    void whatIsNotFrozenOrOfAnotherGpuIsRefused() throws Exception {
        SnapshotId resumed = models.frozenAs(models.first());
        models.switchTo(models.first());
        assertThat(models.node()
                        .switchTo(
                                TwoModels.request(resumed, SwitchRequest.Policy.EVICT_IF_NEEDED, List.of()),
                                StageListener.NONE)
                        .failed()
                        .code())
                .isEqualTo(FailureCode.WORKLOAD_UNSUPPORTED);
        SwitchRequest elsewhere = models.request(models.second(), SwitchRequest.Policy.EVICT_IF_NEEDED);
        OperationOutcome.Failed failed = models.node()
                .switchTo(
                        new SwitchRequest(
                                elsewhere.operation(),
                                elsewhere.snapshot(),
                                Optional.empty(),
                                Optional.of("GPU-0"),
                                elsewhere.policy(),
                                elsewhere.candidates()),
                        StageListener.NONE)
                .failed();
        assertThat(failed.code()).isEqualTo(FailureCode.GPU_MISMATCH);
        models.assertAnswers(models.first(), "first");
    }

    private void assertNothingIsHeld() throws Exception {
        assertThat(models.node().engines().tiers())
                .filteredOn(tier -> tier.kind() == TierKind.MEMORY)
                .singleElement()
                .satisfies(tier -> assertThat(tier.freeBytes()).isEqualTo(tier.capacityBytes()));
    }
}
