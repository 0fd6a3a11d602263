package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A daemon is killed with SIGKILL in every stage of a switch. Then a new one starts, and one of the two serves. */
class SwitchRestartIT {

    private static final List<String> STAGES =
            List.of("preflight", "verify", "suspend", "driver-restore", "remap", "fill", "resume", "health", "store");
    private static final List<String> LONG_STAGES = List.of("suspend", "fill", "store");

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
    void inEveryStage() throws Exception {
        boolean firstWaits = true;
        for (String stage : STAGES) {
            for (StagePoint point : LONG_STAGES.contains(stage)
                    ? List.of(StagePoint.INSIDE, StagePoint.RETURNED)
                    : List.of(StagePoint.RETURNED)) {
                // given
                String where = stage + " " + point;
                TestWorkload to = firstWaits ? models.first() : models.second();
                TestWorkload from = firstWaits ? models.second() : models.first();
                SwitchRequest request = models.request(to, SwitchRequest.Policy.SUSPEND_OTHERS);
                SnapshotId leaving = request.candidates().getFirst().snapshot();
                models.closeNode();
                // when
                DoomedDaemon.live(
                        folder,
                        stage,
                        point,
                        "switch",
                        request.snapshot().toString(),
                        Integer.toString(from.process().pid()),
                        Long.toString(from.process().startTimeTicks()),
                        leaving.toString());
                models.openNode();
                TestNode.Ended ended = models.node().recover();
                // then one serves and the other waits
                if (ended.outcome() instanceof OperationOutcome.Succeeded) {
                    models.switched(to, request);
                    firstWaits = !firstWaits;
                    models.assertAnswers(to, where);
                    models.assertWaits(from, where);
                    models.node().verify(leaving).succeeded();
                } else {
                    assertThat(ended.failed().code()).as(where).isEqualTo(FailureCode.DAEMON_RESTARTED);
                    assertThat(ended.failed().undoProblems()).as(where).isEmpty();
                    assertThat(stage).isIn("preflight", "verify", "suspend");
                    models.assertAnswers(from, where);
                    models.assertWaits(to, where);
                    assertThat(models.node().engines().snapshots()).as(where).doesNotContain(leaving);
                }
                assertThat(ended.log().recallAll(WorkloadLost.class)).as(where).isEmpty();
            }
        }
        // and the next switch is like any other
        TestWorkload to = firstWaits ? models.first() : models.second();
        models.switchTo(to);
        models.assertAnswers(to, "at last");
    }
}
