package io.gpusnap.node.engine;

import io.gpusnap.node.archive.SnapshotArchive;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.ChunkVerifier;
import io.gpusnap.node.transfer.SnapshotImport;
import io.gpusnap.node.transfer.SnapshotPull;
import io.gpusnap.node.transfer.Traffic;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Every chunk of the archive is here, all of the archive verified as it came, and what was stored read back from the medium. */
final class ImportCopy extends EngineStage {

    private final NodeRuntime runtime;
    private final ImportRequest request;
    private final SavePins pins;

    ImportCopy(NodeRuntime runtime, ImportRequest request, SavePins pins) {
        super("copy", new StageTimes());
        this.runtime = runtime;
        this.request = request;
        this.pins = pins;
    }

    @Override
    public boolean lasting() {
        return true;
    }

    @Override
    void execute(StageContext context)
            throws StageException, TierException, ManifestException, IOException, InterruptedException {
        context.remember(new ImportBegun(System.nanoTime()));
        try (SnapshotArchive archive = SnapshotArchive.open(Path.of(request.path()))) {
            byte[] manifest = archive.manifestBytes();
            Snapshots.parse(manifest, request.snapshot(), Optional.of(request.manifestDigest()));
            archive.requireTrusted(runtime.settings().shared().keys().signer());
            requireNoOther();
            long stored = copy(archive, manifest, context);
            context.remember(TransferMoved.none().plus(archive.chunkBytes(), stored));
        }
    }

    /** The same snapshot that is here already is verified and no harm. */
    private void requireNoOther() throws StageException, TierException, ManifestException {
        SnapshotStore store = runtime.store();
        if (store.list().contains(request.snapshot())
                && !store.read(request.snapshot()).digest().equals(request.manifestDigest())) {
            throw new StageException(
                    FailureCode.CONFLICT,
                    "this node has a snapshot %s with another manifest".formatted(request.snapshot()));
        }
    }

    private long copy(SnapshotArchive archive, byte[] manifest, StageContext context)
            throws TierException, ManifestException, InterruptedException {
        SnapshotStore store = runtime.store();
        List<ChunkRef> chunks = archive.manifest().chunks().toList();
        List<ChunkRef> lacking = new SnapshotPull(store, store.sources(), pins).lacking(chunks);
        store.nvme().requireSpaceToBring(bytes(lacking));
        store.nvme().requireKey();
        // Keeps what is here and what is brought from being swept, over this daemon's death as well.
        store.writePending(request.snapshot(), manifest);
        context.progress().setTotalBytes(ChunkVerifier.distinctBytes(chunks) + bytes(lacking));
        ChunkVerifier.settle(ChunkVerifier.unproven(chunks, lacking, store), store.nvme());
        SnapshotImport bringing = new SnapshotImport(store.nvme(), pins);
        try (Traffic.Share share = runtime.traffic().share(Traffic.Priority.NORMAL, request.mostBytesPerSecond())) {
            bringing.bring(archive.layers(Archives.holder(runtime)), runtime.transfer(context), share);
        }
        return pins.storedBytes();
    }

    private static long bytes(List<ChunkRef> chunks) {
        return chunks.stream().mapToLong(ChunkRef::sizeBytes).sum();
    }

    /** What it brought goes, as far as nobody else names it. */
    @Override
    void undo(StageContext context) throws TierException, ManifestException {
        runtime.store().abandon(request.snapshot(), pins);
    }
}
