package io.gpusnap.node.engine;

import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.ChunkVerifier;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How much of each snapshot of this node's store is in the pinned pool. It is told with every heartbeat: so a manifest is read
 * once, and of each digest only so much is kept that two are not taken for one by chance.
 */
final class Residents {

    private static final int HEX = 16;
    private static final int KEY_DIGITS = 16;

    private final SnapshotStore store;
    private final Map<SnapshotId, Named> named = new HashMap<>();

    Residents(SnapshotStore store) {
        this.store = store;
    }

    /** Chunks with content, each once. */
    private record Named(long[] keys, int[] sizes, long totalBytes) {

        static Named of(List<ChunkRef> chunks) {
            return new Named(
                    chunks.stream().mapToLong(chunk -> key(chunk.digest())).toArray(),
                    chunks.stream().mapToInt(ChunkRef::sizeBytes).toArray(),
                    chunks.stream().mapToLong(ChunkRef::sizeBytes).sum());
        }

        long bytesAmong(Set<Long> there) {
            long bytes = 0;
            for (int i = 0; i < keys.length; i++) {
                if (there.contains(keys[i])) {
                    bytes += sizes[i];
                }
            }
            return bytes;
        }
    }

    private static long key(String digest) {
        return Long.parseUnsignedLong(digest, 0, KEY_DIGITS, HEX);
    }

    /** Those of which anything is there. A snapshot whose manifest cannot be read is left out. */
    synchronized List<Resident> now() throws TierException {
        List<SnapshotId> all = store.list();
        named.keySet().retainAll(Set.copyOf(all));
        Set<Long> there = new HashSet<>();
        for (ChunkDigest digest : store.memory().list()) {
            there.add(key(digest.hex()));
        }
        List<Resident> residents = new ArrayList<>();
        for (SnapshotId snapshot : there.isEmpty() ? List.<SnapshotId>of() : all) {
            try {
                Named chunks = named(snapshot);
                long bytes = chunks.bytesAmong(there);
                if (bytes > 0) {
                    residents.add(new Resident(snapshot, bytes, chunks.totalBytes()));
                }
            } catch (TierException | ManifestException e) {
                continue; // it was deleted meanwhile, or a verification will find it wrong
            }
        }
        return residents;
    }

    private Named named(SnapshotId snapshot) throws TierException, ManifestException {
        Named known = named.get(snapshot);
        if (known == null) {
            known = Named.of(ChunkVerifier.distinct(
                    store.read(snapshot).manifest().chunks().toList()));
            named.put(snapshot, known);
        }
        return known;
    }
}
