package io.gpusnap.node.inventory;

import io.gpusnap.node.client.Completion;
import io.gpusnap.node.engine.SaveOutcome;
import io.gpusnap.node.engine.ThawOutcome;
import io.gpusnap.node.store.Manifest;
import java.util.List;

/** What the engines' stages leave, as the service takes it. */
public final class EngineResults {

    private EngineResults() {}

    public static Completion.Saved of(SaveOutcome outcome) {
        Manifest.Totals totals = outcome.totals();
        return new Completion.Saved(
                outcome.manifestJson(),
                outcome.manifestDigest(),
                new Completion.Totals(
                        totals.vramBytes(),
                        totals.hostBytes(),
                        totals.logicalBytes(),
                        totals.storedBytes(),
                        totals.chunksTotal(),
                        totals.chunksStored(),
                        totals.chunksZero()),
                outcome.pauseSeconds(),
                outcome.workloadAlive(),
                outcome.movedBytes(),
                outcome.rebuildableBytes());
    }

    /** Of a switch: who made room, and what as. */
    public static List<Completion.Suspended> of(List<SaveOutcome> outcomes) {
        return outcomes.stream()
                .map(outcome -> new Completion.Suspended(outcome.snapshot().value(), of(outcome)))
                .toList();
    }

    public static Completion.Thawed of(ThawOutcome outcome) {
        return new Completion.Thawed(
                outcome.pid(),
                outcome.startTimeTicks(),
                outcome.workloadName(),
                outcome.seconds(),
                outcome.stageSeconds(),
                outcome.fillBytesPerSecond() > 0 ? outcome.fillBytesPerSecond() : null,
                outcome.firstAnswerSeconds());
    }
}
