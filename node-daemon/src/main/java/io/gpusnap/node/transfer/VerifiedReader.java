package io.gpusnap.node.transfer;

import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.DiskErrors;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.pack.PackTier;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Reads chunks and believes none: size, then digest. A chunk that fails is put in quarantine where it was found, and the next
 * source is asked: the node's own store, who is nearby, shared stores. Before a chunk counts as missing, shared stores are looked
 * through anew. One object a thread.
 */
final class VerifiedReader {

    private static final Set<Reason> NOT_THERE = Set.of(Reason.MISSING, Reason.NO_KEY);

    private final ChunkSources sources;
    private final TreeDigester digester = new TreeDigester();

    VerifiedReader(ChunkSources sources) {
        this.sources = sources;
    }

    /**
     * @param buffer a whole slot or a {@link Transfer#buffer}
     * @throws TierException MISSING, CORRUPT, IO, UNAVAILABLE: of the first source, unless a later one has worse to tell than
     *     that it lacks the chunk
     */
    void read(ChunkRef chunk, MemorySegment buffer) throws TierException, InterruptedException {
        Optional<TierException> failure = readOwn(chunk, buffer);
        if (failure.isEmpty()) {
            return;
        }
        Nearby.Target target = Nearby.Target.at(buffer, (arrived, content) -> {}); // it is where it was wanted
        try (Nearby.Turn turn = sources.nearby().turn(List.of(chunk), sources.window(chunk), target)) {
            if (!turn.left().isEmpty() || !turn.late().isEmpty()) {
                readShared(chunk, buffer, failure.get());
                turn.read(chunk, buffer.asSlice(0, chunk.sizeBytes()));
            }
        }
    }

    /** As {@link #read}, without looking who else is nearby. */
    void readStores(ChunkRef chunk, MemorySegment buffer) throws TierException {
        Optional<TierException> failure = readOwn(chunk, buffer);
        if (failure.isPresent()) {
            readShared(chunk, buffer, failure.get());
        }
    }

    /**
     * Whether this node's own copy is right, as its medium has it. One that is not is in quarantine now.
     *
     * @throws TierException IO
     */
    boolean isHere(ChunkRef chunk, MemorySegment buffer) throws TierException {
        Optional<TierException> failure = readOwn(chunk, buffer);
        if (failure.isPresent()
                && !Set.of(Reason.CORRUPT, Reason.MISSING)
                        .contains(failure.get().reason())) {
            throw failure.get();
        }
        return failure.isEmpty();
    }

    private Optional<TierException> readOwn(ChunkRef chunk, MemorySegment buffer) {
        try {
            prove(chunk, buffer);
            sources.read().add(ChunkSources.NVME, chunk.sizeBytes());
            return Optional.empty();
        } catch (TierException e) {
            if (e.reason() == Reason.CORRUPT) {
                sources.damage().found(ChunkSources.NVME, String.valueOf(e.getMessage()));
                quarantine(new ChunkDigest(chunk.digest()), e);
            }
            return Optional.of(e);
        }
    }

    /** What its medium does not give the second time either, while it gives other things, is as bad as what is wrong. */
    private void prove(ChunkRef chunk, MemorySegment buffer) throws TierException {
        try {
            proveOnce(chunk, buffer);
        } catch (TierException e) {
            if (!DiskErrors.isOfMedium(e)) {
                throw e;
            }
            try {
                proveOnce(chunk, buffer);
            } catch (TierException again) {
                throw sources.nvme().isDamage(again)
                        ? new TierException(
                                Reason.CORRUPT,
                                "chunk %s cannot be read, its store can: %s"
                                        .formatted(chunk.digest(), again.getMessage()),
                                again)
                        : again;
            }
        }
    }

    private void proveOnce(ChunkRef chunk, MemorySegment buffer) throws TierException {
        ChunkDigest digest = new ChunkDigest(chunk.digest());
        sources.nvme().read(digest, chunk.sizeBytes(), buffer);
        ChunkRef found = digester.digest(buffer.asSlice(0, chunk.sizeBytes()));
        if (!found.equals(chunk)) {
            throw new TierException(
                    Reason.CORRUPT, "chunk %s has content of digest %s".formatted(digest, found.digest()));
        }
    }

    private void readShared(ChunkRef chunk, MemorySegment buffer, TierException first) throws TierException {
        long begun = System.nanoTime();
        List<PackTier> without = new ArrayList<>();
        TierException failure = first;
        for (PackTier tier : sources.shared()) {
            Optional<TierException> found = readFrom(tier, chunk, buffer);
            if (found.isEmpty()) {
                return;
            }
            failure = worse(failure, found.get());
            if (NOT_THERE.contains(found.get().reason())) {
                without.add(tier);
            }
        }
        // What this node knows of them may be older than what others have brought, or put back.
        for (PackTier tier : without) {
            Optional<TierException> found = lookAndReadFrom(tier, begun, chunk, buffer);
            if (found.isEmpty()) {
                return;
            }
            failure = worse(failure, found.get());
        }
        throw failure;
    }

    private Optional<TierException> lookAndReadFrom(PackTier tier, long since, ChunkRef chunk, MemorySegment buffer) {
        try {
            tier.refreshSince(since);
        } catch (TierException e) {
            return Optional.of(e);
        }
        return readFrom(tier, chunk, buffer);
    }

    /** @return why it was not read */
    private Optional<TierException> readFrom(PackTier tier, ChunkRef chunk, MemorySegment buffer) {
        try {
            tier.readProven(chunk, buffer, digester::digest).ifPresent(wrong -> damaged(tier, wrong));
            sources.read().add(tier.name(), chunk.sizeBytes());
            return Optional.empty();
        } catch (TierException e) {
            if (e.reason() == Reason.CORRUPT) {
                damaged(tier, e);
            }
            return Optional.of(e);
        }
    }

    private void damaged(PackTier tier, TierException wrong) {
        sources.damage().found(tier.name(), String.valueOf(wrong.getMessage()));
    }

    private static TierException worse(TierException first, TierException next) {
        if (first.reason() == Reason.MISSING && next.reason() != Reason.MISSING) {
            next.addSuppressed(first);
            return next;
        }
        first.addSuppressed(next);
        return first;
    }

    private void quarantine(ChunkDigest digest, TierException cause) {
        try {
            sources.nvme().quarantine(digest);
        } catch (TierException e) {
            cause.addSuppressed(e);
        }
    }
}
