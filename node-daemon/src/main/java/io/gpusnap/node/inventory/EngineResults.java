package io.gpusnap.node.inventory;

import io.gpusnap.node.client.Completion;
import io.gpusnap.node.engine.DamagedCopies;
import io.gpusnap.node.engine.EvictOutcome;
import io.gpusnap.node.engine.SaveOutcome;
import io.gpusnap.node.engine.ScrubOutcome;
import io.gpusnap.node.engine.SweepOutcome;
import io.gpusnap.node.engine.ThawOutcome;
import io.gpusnap.node.engine.TransferOutcome;
import io.gpusnap.node.operation.OperationLog;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.tier.pack.SharedObject;
import java.util.List;
import org.jspecify.annotations.Nullable;

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
                outcome.rebuildableBytes(),
                outcome.copyBytes());
    }

    /** Null when the operation was no work on a tier, or did not come to its end. */
    public static Completion.@Nullable TierResult ofTier(OperationLog log) {
        return log.recall(TransferOutcome.class)
                .<Completion.TierResult>map(EngineResults::of)
                .or(() -> log.recall(EvictOutcome.class).map(it -> new Completion.Evicted(it.freedBytes())))
                .or(() -> log.recall(SweepOutcome.class)
                        .map(it -> new Completion.Swept(
                                it.deletedBytes(), it.abortedUploads(), objects(it.objects()), it.complete())))
                .or(() -> log.recall(ScrubOutcome.class).map(EngineResults::of))
                .orElse(null);
    }

    /** Copies that an operation has found wrong, also when it succeeded. */
    public static List<Completion.DamagedCopy> damaged(OperationLog log) {
        return log.recall(DamagedCopies.class)
                .map(found -> found.copies().stream()
                        .map(copy ->
                                new Completion.DamagedCopy(found.snapshot().value(), copy.storeId(), copy.detail()))
                        .toList())
                .orElse(List.of());
    }

    private static Completion.Transferred of(TransferOutcome outcome) {
        return new Completion.Transferred(
                outcome.movedBytes(),
                outcome.storedBytes(),
                outcome.seconds(),
                outcome.objects().isEmpty() ? null : objects(outcome.objects()),
                outcome.copyBytes());
    }

    private static Completion.Scrubbed of(ScrubOutcome outcome) {
        return new Completion.Scrubbed(
                outcome.readBytes(),
                outcome.seconds(),
                outcome.findings().stream()
                        .map(finding -> new Completion.ScrubVerdict(
                                finding.snapshot().value(),
                                finding.verdict().name(),
                                finding.detail().isEmpty() ? null : finding.detail(),
                                finding.unread().map(Enum::name).orElse(null),
                                finding.copyBytes()))
                        .toList());
    }

    private static List<Completion.StoredObject> objects(List<SharedObject> objects) {
        return objects.stream()
                .map(object -> new Completion.StoredObject(object.name(), object.sizeBytes()))
                .toList();
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
                outcome.firstAnswerSeconds(),
                outcome.bytesByTier());
    }
}
