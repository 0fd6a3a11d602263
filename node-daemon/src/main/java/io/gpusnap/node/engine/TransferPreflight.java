package io.gpusnap.node.engine;

import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierKind;
import io.gpusnap.node.transfer.SnapshotPull;
import java.util.UUID;

/** Whether the tiers are those that are meant, the manifest is, and there is room. */
final class TransferPreflight extends SharedStoreStage {

    private final TransferSession session;

    TransferPreflight(TransferSession session) {
        super("preflight", session.times());
        this.session = session;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, ManifestException {
        Tiers tiers = session.runtime().tiers();
        TierKind to = tiers.kind(session.request().to());
        if (session.request().from().isPresent()) {
            tiers.kind(session.request().from().get());
        }
        if (to == TierKind.NVME || to == TierKind.MEMORY) {
            session.gather();
        }
        if (to == TierKind.NVME) {
            SnapshotPull pull = new SnapshotPull(session.runtime().store(), session.sources(), session.pins());
            NvmeTier nvme = session.runtime().store().nvme();
            nvme.requireSpaceToBring(pull.lacking(session.chunks()).stream()
                    .mapToLong(ChunkRef::sizeBytes)
                    .sum());
            nvme.requireKey();
        } else {
            session.manifest();
        }
        if (context.recall(TransferCopy.class).isEmpty()) {
            context.remember(new TransferCopy(UUID.randomUUID(), System.nanoTime()));
        }
    }

    @Override
    void ended(StageContext context) {
        session.rememberDamage(context);
    }
}
