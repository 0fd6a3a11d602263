package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.peer.FanOut;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Damage;
import io.gpusnap.node.snapshot.ReadBytes;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.snapshot.SnapshotUses;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.Traffic;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What the stages of one transfer share while this daemon lives. */
final class TransferSession {

    private final NodeRuntime runtime;
    private final TransferRequest request;
    private final SavePins pins;
    private final Damage damage = new Damage();
    private final ReadBytes bytes;
    private FanOut.@Nullable Gathered gathered;
    private final StageTimes times = new StageTimes();
    private SnapshotUses.@Nullable Use use;
    private byte @Nullable [] manifestBytes;
    private @Nullable List<ChunkRef> chunks;

    TransferSession(NodeRuntime runtime, TransferRequest request) {
        this.runtime = runtime;
        this.request = request;
        this.pins = runtime.store().pinsToBring();
        this.bytes = runtime.store().sources().read().ofOperation();
    }

    NodeRuntime runtime() {
        return runtime;
    }

    TransferRequest request() {
        return request;
    }

    StageTimes times() {
        return times;
    }

    SavePins pins() {
        return pins;
    }

    UUID owner() {
        return request.operation().value();
    }

    /** Where chunks may come from. */
    ChunkSources sources() {
        FanOut.Gathered open = gathered;
        return open == null ? stores() : open.sources();
    }

    /** The one that is named is read first. */
    private ChunkSources stores() {
        return runtime.store()
                .sources()
                .telling(damage, bytes)
                .preferring(request.from().map(TierRef::name).stream().toList());
    }

    void rememberDamage(StageContext context) {
        runtime.tiers().remember(request.snapshot(), damage, context);
    }

    Traffic.Share share() {
        return runtime.traffic().move(request.priority(), request.mostBytesPerSecond());
    }

    /** The same one in every run of the operation. */
    static UUID copy(StageContext context) throws StageException {
        return SaveSession.recall(context, TransferCopy.class).copy();
    }

    /** Since the operation began, as far as this daemon has seen it. */
    static double seconds(StageContext context) throws StageException {
        long since = SaveSession.recall(context, TransferCopy.class).uptimeNanos();
        return Math.max(0, System.nanoTime() - since) / 1e9;
    }

    /** From now on other nodes may help, and be helped: the copy is into this node's own tiers. */
    void gather() throws StageException, TierException, ManifestException {
        if (gathered == null) {
            gathered = runtime.fanOut()
                    .gather(
                            request.operation(),
                            request.snapshot(),
                            request.manifestDigest().orElse(""),
                            chunks(),
                            stores(),
                            bytes);
        }
    }

    /** Read once; from then on the snapshot cannot be deleted here until the operation has ended. */
    byte[] manifest() throws StageException, TierException, ManifestException {
        byte[] known = manifestBytes;
        if (known == null) {
            if (use == null) {
                use = runtime.store()
                        .use(request.snapshot())
                        .orElseThrow(() -> new StageException(
                                FailureCode.CHUNK_MISSING, "snapshot " + request.snapshot() + " is being deleted"));
            }
            known = Snapshots.bytes(runtime.store(), request.snapshot(), request.manifestDigest(), stores());
            chunks = Snapshots.parse(known, request.snapshot(), request.manifestDigest())
                    .chunks()
                    .toList();
            manifestBytes = known;
        }
        return known;
    }

    List<ChunkRef> chunks() throws StageException, TierException, ManifestException {
        manifest();
        List<ChunkRef> known = chunks;
        return known == null ? List.of() : known;
    }

    void release() {
        FanOut.Gathered open = gathered;
        if (open != null) {
            open.close();
        }
        runtime.store().memory().finish(owner());
        pins.close();
        SnapshotUses.Use held = use;
        if (held != null) {
            held.close();
        }
    }
}
