package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobStore;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Reads single chunks from wherever the catalogue has them. A pack that is gone is forgotten, and the next one is read. Thread-safe. */
final class PlaceReader {

    /** Learns what is new in the store, unless it was done a moment ago. */
    interface Looking {

        /** @return whether it was worth it */
        boolean again() throws TierException;
    }

    private final BlobStore store;
    private final Supplier<Frames> frames;
    private final Catalogue catalogue;
    private final Looking looking;
    private final Function<ChunkDigest, TierException> notThere;
    private final BiConsumer<ChunkDigest, ChunkDigest> quarantine;

    /**
     * @param notThere what is wrong with a chunk that has no place
     * @param quarantine takes a chunk, and the pack in which it is wrong
     */
    PlaceReader(
            BlobStore store,
            Supplier<Frames> frames,
            Catalogue catalogue,
            Looking looking,
            Function<ChunkDigest, TierException> notThere,
            BiConsumer<ChunkDigest, ChunkDigest> quarantine) {
        this.store = store;
        this.frames = frames;
        this.catalogue = catalogue;
        this.looking = looking;
        this.notThere = notThere;
        this.quarantine = quarantine;
    }

    /** As {@link PackTier#read}. */
    void read(ChunkDigest digest, int sizeBytes, MemorySegment buffer) throws TierException {
        PackReader reader = new PackReader(store, frames.get());
        boolean done = false;
        while (!done) {
            done = read(reader, find(digest), sizeBytes, buffer);
        }
    }

    /** As {@link PackTier#readProven}. */
    Optional<TierException> readProven(ChunkRef chunk, MemorySegment buffer, Function<MemorySegment, ChunkRef> digestOf)
            throws TierException {
        ChunkDigest digest = new ChunkDigest(chunk.digest());
        PackReader reader = new PackReader(store, frames.get());
        TierException first = null;
        while (true) {
            Catalogue.Place place = find(digest, first);
            try {
                if (read(reader, place, chunk.sizeBytes(), buffer)) {
                    ChunkRef found = digestOf.apply(buffer.asSlice(0, chunk.sizeBytes()));
                    if (found.equals(chunk)) {
                        return Optional.ofNullable(first);
                    }
                    throw new TierException(
                            Reason.CORRUPT, "chunk %s has content of digest %s".formatted(digest, found.digest()));
                }
            } catch (TierException e) {
                if (e.reason() != Reason.CORRUPT) {
                    throw e;
                }
                first = first == null ? e : first;
                quarantine.accept(digest, place.pack().id());
            }
        }
    }

    /** @return false when its pack is gone */
    private boolean read(PackReader reader, Catalogue.Place place, int sizeBytes, MemorySegment buffer)
            throws TierException {
        try {
            reader.read(place, sizeBytes, buffer);
            return true;
        } catch (TierException e) {
            if (e.reason() != Reason.MISSING) {
                throw e;
            }
            catalogue.gone(place.pack());
            return false;
        }
    }

    private Catalogue.Place find(ChunkDigest digest) throws TierException {
        return find(digest, null);
    }

    /** @param wrong what was found where it was before: worse than that it is nowhere else */
    private Catalogue.Place find(ChunkDigest digest, @Nullable TierException wrong) throws TierException {
        Optional<Catalogue.Place> place = catalogue.find(digest);
        if (place.isEmpty() && looking.again()) {
            place = catalogue.find(digest);
        }
        if (place.isPresent()) {
            return place.get();
        }
        throw wrong == null ? notThere.apply(digest) : wrong;
    }
}
