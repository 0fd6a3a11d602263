package io.gpusnap.node.engine;

import io.gpusnap.node.archive.ArchiveKey;
import io.gpusnap.node.archive.SnapshotArchive;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StagePlan;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** What is done with archives. */
public final class Archives {

    private Archives() {}

    static StagePlan exporting(NodeRuntime runtime, ExportRequest request) {
        return new StagePlan(OperationKind.TRANSFER, List.of(new ExportStage(runtime, request)));
    }

    static StagePlan importing(NodeRuntime runtime, ImportRequest request) {
        SavePins pins = runtime.store().pinsToBring();
        return new StagePlan(
                OperationKind.TRANSFER,
                List.of(new ImportCopy(runtime, request, pins), new ImportCommit(runtime, request)),
                pins::close);
    }

    /**
     * What is in it, without a node.
     *
     * @throws StageException MANIFEST_INVALID, CHUNK_MISSING, CHUNK_CORRUPT, STORE_ERROR
     */
    public static ArchiveInfo look(Path path) throws StageException {
        try (SnapshotArchive archive = SnapshotArchive.open(path)) {
            return new ArchiveInfo(
                    archive.manifest().snapshotId(), archive.manifestDigest(), archive.chunkBytes(), archive.sealed());
        } catch (IOException | TierException | ManifestException e) {
            throw Failures.typed(e);
        }
    }

    /** Who opens archives on this node. */
    static ArchiveKey.Holder holder(NodeRuntime runtime) {
        TierKeys keys = runtime.settings().shared().keys();
        return new ArchiveKey.Holder(keys.provider(), keys.tenant());
    }
}
