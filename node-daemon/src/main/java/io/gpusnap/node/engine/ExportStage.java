package io.gpusnap.node.engine;

import io.gpusnap.node.archive.ArchiveWriter;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Damage;
import io.gpusnap.node.snapshot.SnapshotUses;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.DiskErrors;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.key.PortableKey;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.transfer.ChunkVerifier;
import io.gpusnap.node.transfer.SnapshotExport;
import io.gpusnap.node.transfer.Traffic;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Writes an archive under another name, and gives it its own when it is whole. */
final class ExportStage extends EngineStage {

    private final NodeRuntime runtime;
    private final ExportRequest request;

    ExportStage(NodeRuntime runtime, ExportRequest request) {
        super("export", new StageTimes());
        this.runtime = runtime;
        this.request = request;
    }

    private Path archive() {
        return Path.of(request.path());
    }

    private Path partial() {
        return Path.of(request.path() + ".partial-" + request.operation());
    }

    @Override
    void execute(StageContext context)
            throws StageException, TierException, ManifestException, IOException, InterruptedException {
        long start = System.nanoTime();
        SnapshotId snapshot = request.snapshot();
        requireNothingThere();
        SnapshotUses.Use use = runtime.store()
                .use(snapshot)
                .orElseThrow(() ->
                        new StageException(FailureCode.CHUNK_MISSING, "snapshot " + snapshot + " is being deleted"));
        Damage damage = new Damage();
        ChunkSources sources = runtime.store()
                .sources()
                .telling(damage, runtime.store().sources().read().ofOperation());
        try (use) {
            byte[] manifest = Snapshots.bytes(runtime.store(), snapshot, Optional.empty(), sources);
            long bytes = write(manifest, Snapshots.parse(manifest, snapshot, Optional.empty()), sources, context);
            double seconds = (System.nanoTime() - start) / 1e9;
            context.remember(new TransferOutcome(snapshot, request.path(), bytes, bytes, seconds, List.of(), null));
        } finally {
            runtime.tiers().remember(snapshot, damage, context);
        }
    }

    private void requireNothingThere() throws StageException {
        if (Files.exists(archive(), LinkOption.NOFOLLOW_LINKS)) {
            throw new StageException(FailureCode.CONFLICT, "there is a " + archive() + " already");
        }
    }

    private long write(byte[] bytes, Manifest manifest, ChunkSources sources, StageContext context)
            throws StageException, TierException, ManifestException, InterruptedException {
        if (manifest.engine().equals(EngineId.SUSPEND.value())) {
            throw new StageException(
                    FailureCode.INCOMPATIBLE,
                    "snapshot %s is of engine suspend: it is of use only where its process is"
                            .formatted(request.snapshot()));
        }
        List<ChunkRef> chunks = manifest.chunks().toList();
        context.progress().setTotalBytes(ChunkVerifier.distinctBytes(chunks));
        try (Traffic.Share share = runtime.traffic().share(Traffic.Priority.NORMAL, request.mostBytesPerSecond());
                ArchiveWriter writer = new ArchiveWriter(
                        archive(), partial(), manifest.createdAt().getEpochSecond(), key())) {
            new SnapshotExport(sources, writer).chunks(chunks, runtime.transfer(context), share);
            return writer.commit(request.snapshot(), bytes, signature(bytes));
        } catch (FileAlreadyExistsException e) {
            throw new StageException(FailureCode.CONFLICT, "there is a " + archive() + " already", e);
        } catch (IOException e) {
            throw DiskErrors.typed("write", archive(), e);
        }
    }

    private Optional<PortableKey> key() throws TierException {
        TierKeys keys = runtime.settings().shared().keys();
        return keys.provider().isEmpty() || request.plain()
                ? Optional.empty()
                : Optional.of(PortableKey.fresh(keys.provider().get(), keys.tenant()));
    }

    /** This node's own, else the one that a shared store has. */
    private Optional<byte[]> signature(byte[] manifest) throws TierException {
        Optional<byte[]> own = runtime.settings().shared().keys().signer().sign(request.snapshot(), manifest);
        if (own.isPresent()) {
            return own;
        }
        for (PackTier tier : runtime.store().sources().shared()) {
            Optional<byte[]> found = tier.signature(request.snapshot(), manifest);
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    @Override
    void undo(StageContext context) throws IOException {
        ArchiveWriter.discard(partial());
    }
}
