package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.store.SnapshotId;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class SuspendEngineIT extends CheckpointEngineContract {

    @Override
    EngineId engine() {
        return EngineId.SUSPEND;
    }

    @Override
    void require() {}

    @Override
    void makeRoom() {}

    @Override
    void assertThawFails(SnapshotId snapshot, FailureCode code, long freeBytesBefore) throws Exception {
        assertThat(node.thaw(engine(), snapshot).failed().code()).isEqualTo(code);
        assertThat(workload.isAlive()).as("the frozen process is untouched").isTrue();
        awaitFreeBytes(freeBytesBefore);
        assertThatNothingIsHeld();
    }

    @Test
    void aSuspendedWorkloadHoldsNoDeviceMemoryAndItsCallersWait() throws Exception {
        // given
        long before = freeBytes();
        // when
        SaveOutcome save = node.save(engine(), workload, AfterSave.KEEP_RUNNING)
                .succeeded()
                .fact(SaveOutcome.class);
        // then
        assertThat(save.workloadAlive()).isTrue();
        assertThat(freeBytes() - before).isGreaterThanOrEqualTo(save.totals().vramBytes());
        assertThat(node.engines().workloads())
                .filteredOn(info -> info.process().equals(workload.process()))
                .singleElement()
                .satisfies(info -> {
                    assertThat(info.state()).isEqualTo(WorkloadInfo.State.SUSPENDED);
                    assertThat(info.suspendedAs()).contains(save.snapshot());
                    assertThat(info.refusals()).isNotEmpty();
                });

        // when somebody asks it meanwhile
        CompletableFuture<String> waiting = CompletableFuture.supplyAsync(() -> {
            try {
                return workload.answer(PROMPT);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        node.thaw(engine(), save.snapshot()).succeeded();
        // then the answer comes with the resume
        assertThat(waiting).succeedsWithin(Duration.ofSeconds(30)).isEqualTo(answer);
    }

    @Test
    void onlyTheSnapshotThatItIsFrozenAsCanBeResumed() throws Exception {
        // given two snapshots, with a run between
        SnapshotId first = node.save(engine(), workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        node.thaw(engine(), first).succeeded();
        assertThat(node.thaw(engine(), first).failed().code()).isEqualTo(FailureCode.WORKLOAD_UNSUPPORTED);
        workload.answer("changes");
        SnapshotId second = node.save(engine(), workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        // when, then
        assertThat(node.thaw(engine(), first).failed().code()).isEqualTo(FailureCode.WORKLOAD_UNSUPPORTED);
        assertThat(node.save(engine(), workload, AfterSave.STOP).failed().code())
                .isEqualTo(FailureCode.WORKLOAD_UNSUPPORTED);
        assertThat(node.delete(second).failed().code()).isEqualTo(FailureCode.WORKLOAD_UNSUPPORTED);
        node.thaw(engine(), second).succeeded();
        assertThat(workload.answer(PROMPT)).isNotEmpty();
    }

    @Test
    void aSuspendedProcessThatWasEndedIsNotFound() throws Exception {
        SnapshotId snapshot = node.save(engine(), workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        workload.end();
        assertThat(node.thaw(engine(), snapshot).failed().code()).isEqualTo(FailureCode.WORKLOAD_NOT_FOUND);
        node.delete(snapshot).succeeded();
    }
}
