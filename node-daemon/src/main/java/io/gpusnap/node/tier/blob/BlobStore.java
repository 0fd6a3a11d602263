package io.gpusnap.node.tier.blob;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.TierKind;
import io.gpusnap.node.tier.TierUsage;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Named, immutable objects on a medium that several nodes share. Guarantees of every store, held by {@code BlobStoreContract}:
 *
 * <ul>
 *   <li>Atomic publish: an object is there whole or not at all, for every reader, also after the writer's death. What a
 *       writer that died has left is never under an object's name.
 *   <li>Read after write: once {@link #put} has returned, this node finds the object, and every other node that opens it by
 *       its name. (A client of NFS may go on for a while, a minute at most by default, not to see a name that it missed
 *       before, and not to list it.)
 *   <li>Durability: once {@link #put} has returned, the object survives the node. Whether the medium kept what it was given
 *       only reading it back tells.
 *   <li>Size first: a read names the size that the whole object must have; one of another size is CORRUPT and none of its
 *       bytes arrive.
 *   <li>Bounded: every call ends within the store's own deadlines, whatever the medium does; a medium that hangs makes calls
 *       fail as UNAVAILABLE, at once while it is known to hang, and so does a call whose caller is interrupted. No call that
 *       has ended writes into memory of the caller.
 *   <li>Names are {@link BlobKey}s; whatever else lies on the medium is left alone, links are not followed.
 *   <li>All methods may be called from many threads.
 * </ul>
 *
 * <p>Failures are {@link TierException}s: UNAVAILABLE where a later call may succeed, IO where not.
 */
public interface BlobStore extends AutoCloseable {

    /** One read of {@link #holds}. */
    int READ_BACK_BYTES = 8 << 20;

    /** What {@link #put} does where there is an object of that name. */
    enum IfThere {
        /** It stays, whatever its size. Of several writers at once one is the first, where the store has conditional writes. */
        KEEP,
        REPLACE
    }

    TierKind kind();

    /** For people. */
    String location();

    /**
     * @param content unchanged until the call returns
     * @return false when the object was there and was kept
     * @throws TierException NO_SPACE, IO, UNAVAILABLE; then there is no new object of this name, unless the last answer of
     *     the store was lost
     */
    boolean put(BlobKey key, MemorySegment content, IfThere ifThere) throws TierException;

    /** @throws TierException IO, UNAVAILABLE */
    Optional<BlobInfo> find(BlobKey key) throws TierException;

    /**
     * Reads one range whole.
     *
     * @param wholeBytes the size that the object must have
     * @throws TierException MISSING, CORRUPT (size), IO, UNAVAILABLE
     */
    void read(BlobKey key, long wholeBytes, long offset, MemorySegment target) throws TierException;

    /**
     * Objects in a folder, in no order.
     *
     * @param nameStart how their names begin; "" for all
     * @throws TierException IO, UNAVAILABLE
     */
    List<BlobInfo> list(BlobKey.Folder folder, String nameStart) throws TierException;

    /**
     * Objects in a folder in the order of their paths, for who goes through a large one a part at a time: a store asks its medium for
     * what comes after a name, where that is possible, and not for all.
     *
     * @param after a path, of this folder or not, there or not; "" for the first
     * @param most so many at most
     * @throws TierException IO, UNAVAILABLE
     */
    default List<BlobInfo> listAfter(BlobKey.Folder folder, String after, int most) throws TierException {
        return list(folder, "").stream()
                .filter(object -> object.key().path().compareTo(after) > 0)
                .sorted(Comparator.comparing(object -> object.key().path()))
                .limit(most)
                .toList();
    }

    /**
     * Which objects are in a folder, in no order, and nothing else of them: of a medium that tells the rest for each by itself.
     *
     * @throws TierException IO, UNAVAILABLE
     */
    default List<BlobKey> names(BlobKey.Folder folder) throws TierException {
        return list(folder, "").stream().map(BlobInfo::key).toList();
    }

    /**
     * @return false when it was not there, where the store can tell
     * @throws TierException IO, UNAVAILABLE
     */
    boolean delete(BlobKey key) throws TierException;

    /**
     * Removes what writers that died have left half-written.
     *
     * @param olderThan by the store's clock
     * @return how many
     */
    int removeUnfinished(Duration olderThan) throws TierException;

    /** Capacity and free space of the medium; used bytes are not known here, and zero. */
    TierUsage usage() throws TierException;

    /** Empty while the store answers; else why not. Takes no time. */
    Optional<String> trouble();

    @Override
    void close();

    /**
     * A small object.
     *
     * @param mostBytes a longer one is CORRUPT, and not read
     * @throws TierException MISSING, CORRUPT, IO, UNAVAILABLE
     */
    default byte[] readAll(BlobKey key, int mostBytes) throws TierException {
        long sizeBytes = find(key).orElseThrow(() -> missing(key)).sizeBytes();
        if (sizeBytes > mostBytes) {
            throw tooLong(key, sizeBytes, mostBytes);
        }
        byte[] bytes = new byte[(int) sizeBytes];
        if (bytes.length > 0) {
            read(key, sizeBytes, 0, MemorySegment.ofArray(bytes));
        }
        return bytes;
    }

    /**
     * Reads an object back, past caches of this node where that can be had, and compares.
     *
     * @return false also when it is not there or of another size
     * @throws TierException IO, UNAVAILABLE: then nothing is proven
     */
    default boolean holds(BlobKey key, MemorySegment content) throws TierException {
        long sizeBytes = content.byteSize();
        MemorySegment found = MemorySegment.ofArray(new byte[(int) Math.min(READ_BACK_BYTES, sizeBytes)]);
        try {
            for (long offset = 0; offset < sizeBytes; offset += READ_BACK_BYTES) {
                long length = Math.min(READ_BACK_BYTES, sizeBytes - offset);
                readBack(key, sizeBytes, offset, found.asSlice(0, length));
                if (found.asSlice(0, length).mismatch(content.asSlice(offset, length)) != -1) {
                    return false;
                }
            }
            return true;
        } catch (TierException e) {
            if (e.reason() == Reason.CORRUPT || e.reason() == Reason.MISSING) {
                return false;
            }
            throw e;
        }
    }

    /** As {@link #read}, and not from a cache of this node where that can be had. */
    default void readBack(BlobKey key, long wholeBytes, long offset, MemorySegment target) throws TierException {
        read(key, wholeBytes, offset, target);
    }

    default TierException tooLong(BlobKey key, long sizeBytes, int mostBytes) {
        return new TierException(
                Reason.CORRUPT,
                "%s in %s has %d bytes, at most %d are read".formatted(key, location(), sizeBytes, mostBytes));
    }

    default TierException missing(BlobKey key) {
        return new TierException(Reason.MISSING, key + " is not in " + location());
    }
}
