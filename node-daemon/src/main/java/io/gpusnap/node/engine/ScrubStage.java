package io.gpusnap.node.engine;

import io.gpusnap.node.engine.ScrubOutcome.Finding;
import io.gpusnap.node.engine.ScrubOutcome.Unread;
import io.gpusnap.node.engine.ScrubOutcome.Verdict;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.SnapshotUses;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.NewerManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierKind;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.transfer.ChunkVerifier;
import io.gpusnap.node.transfer.Scrub;
import io.gpusnap.node.transfer.Traffic;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads snapshots of one tier and says of each what it found. A chunk that is wrong is put in quarantine. */
final class ScrubStage extends EngineStage {

    private final NodeRuntime runtime;
    private final ScrubRequest request;

    ScrubStage(NodeRuntime runtime, ScrubRequest request) {
        super("scrub", new StageTimes());
        this.runtime = runtime;
        this.request = request;
    }

    @Override
    public OnRestart onRestart() {
        return OnRestart.RERUN;
    }

    @Override
    public boolean interruptible() {
        return true;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, InterruptedException {
        TierKind kind = runtime.tiers().kind(request.tier());
        if (kind == TierKind.MEMORY) {
            throw new StageException(FailureCode.TIER_MISMATCH, "the pool verifies what it gives, it is not scrubbed");
        }
        Optional<PackTier> shared = kind == TierKind.NVME
                ? Optional.empty()
                : Optional.of(runtime.tiers().shared(request.tier()));
        try (Traffic.Share share = runtime.traffic().share(request.priority(), request.mostBytesPerSecond())) {
            scrub(new Scrub(runtime.store().nvme(), shared, runtime.transfer(context), share), shared, context);
        }
    }

    private void scrub(Scrub scrub, Optional<PackTier> shared, StageContext context)
            throws StageException, InterruptedException {
        long start = System.nanoTime();
        List<Finding> findings = new ArrayList<>();
        for (ScrubRequest.Subject subject : request.snapshots()) {
            context.checkCancelled();
            findings.add(look(subject, shared, scrub));
        }
        context.checkCancelled(); // what the last one could not read then says nothing of its store
        context.remember(new ScrubOutcome(scrub.readBytes(), (System.nanoTime() - start) / 1e9, findings));
    }

    /** Of this node's own store nothing goes while it is read; a deletion is given way to. */
    private Finding look(ScrubRequest.Subject subject, Optional<PackTier> shared, Scrub scrub)
            throws InterruptedException {
        Optional<SnapshotUses.Use> use = runtime.store().use(subject.snapshot());
        if (use.isEmpty()) {
            return Finding.unread(subject.snapshot(), Unread.IN_USE, "it is being deleted");
        }
        try (SnapshotUses.Use held = use.get()) {
            return read(subject, shared, scrub);
        }
    }

    private Finding read(ScrubRequest.Subject subject, Optional<PackTier> shared, Scrub scrub)
            throws InterruptedException {
        try {
            byte[] manifest = shared.isPresent()
                    ? shared.get()
                            .manifest(
                                    subject.snapshot(),
                                    found -> ManifestDigest.of(found).hex().equals(subject.manifestDigest()))
                    : runtime.store().manifest(subject.snapshot());
            List<ChunkRef> chunks = ChunkVerifier.distinct(
                    Snapshots.parse(manifest, subject.snapshot(), Optional.of(subject.manifestDigest()))
                            .chunks()
                            .toList());
            scrub.read(chunks, () -> runtime.store().isWantedForDeletion(subject.snapshot()));
            return Finding.good(
                    subject.snapshot(),
                    shared.isPresent()
                            ? ChunkVerifier.storedBytes(chunks, shared.get())
                            : ChunkVerifier.storedBytes(chunks, runtime.store().nvme()));
        } catch (TierException e) {
            String detail = String.valueOf(e.getMessage());
            return switch (e.reason()) {
                case MISSING -> Finding.wrong(subject.snapshot(), Verdict.MISSING, detail);
                case CORRUPT -> Finding.wrong(subject.snapshot(), Verdict.CORRUPT, detail);
                case NO_KEY -> Finding.unread(subject.snapshot(), Unread.NO_KEY, detail);
                case UNTRUSTED -> Finding.unread(subject.snapshot(), Unread.UNTRUSTED_SIGNER, detail);
                case IN_USE -> Finding.unread(subject.snapshot(), Unread.IN_USE, detail);
                case NO_SPACE, IO, UNAVAILABLE, PREEMPTED ->
                    Finding.unread(subject.snapshot(), Unread.NO_ANSWER, detail);
            };
        } catch (NewerManifestException e) {
            return Finding.unread(subject.snapshot(), Unread.NO_ANSWER, String.valueOf(e.getMessage()));
        } catch (StageException | ManifestException e) {
            return Finding.wrong(subject.snapshot(), Verdict.CORRUPT, String.valueOf(e.getMessage()));
        }
    }
}
