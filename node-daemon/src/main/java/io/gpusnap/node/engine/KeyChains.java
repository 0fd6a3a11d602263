package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.key.TenantKeys;
import io.gpusnap.node.tier.pack.PackTier;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;

/** The data keys of this node's tenant, in each place that has its own. */
public final class KeyChains {

    private interface StoreId {
        UUID get() throws TierException;
    }

    /** What is stored, by the number of the key that encrypts it. */
    private interface Stored {
        Map<Integer, Long> bytes() throws TierException, ManifestException;
    }

    /** @param encrypts whether what is written now is encrypted by them */
    private record Chain(
            String tier, TenantKeys keys, boolean encrypts, StoreId storeId, TenantKeys.Sealed sealed, Stored stored) {}

    /**
     * One data key of a tier.
     *
     * @param owner the tenant, or with an @ before it the group that shares them
     * @param storedBytes what it encrypts there; of a node's own disk only of snapshots that are whole
     */
    public record Listed(String tier, String owner, int number, String wrappedBy, boolean current, long storedBytes) {}

    /** A data key that was made now. */
    public record Made(String tier, int number, String wrappedBy) {}

    /** @param changed keys that were wrapped by another key before */
    public record Rewrapped(String tier, int keys, int changed) {}

    /** Is told of each key of a tier that was looked at. */
    @FunctionalInterface
    public interface Progress {
        void done(String tier, int keys, int all);
    }

    private final List<Chain> chains;

    KeyChains(SnapshotStore store) throws TierException {
        List<Chain> found = new ArrayList<>();
        store.nvme()
                .keys()
                .ifPresent(keys -> found.add(new Chain(
                        Tiers.NVME, keys, true, store.nvme()::storeId, store.nvme()::isSealedBy, () -> stored(store))));
        for (PackTier tier : store.sources().shared()) {
            tier.keys().ifPresent(keys -> found.add(chain(tier, keys, true)));
            tier.ownKeys().ifPresent(keys -> found.add(chain(tier, keys, false)));
        }
        this.chains = List.copyOf(found);
    }

    private static Chain chain(PackTier tier, TenantKeys keys, boolean encrypts) {
        return new Chain(
                tier.name(),
                keys,
                encrypts,
                tier::storeId,
                tier.sealedBy(keys),
                () -> stored(keys, tier.storedBytesByScope()));
    }

    private static Map<Integer, Long> stored(TenantKeys keys, Map<String, Long> byScope) {
        Map<Integer, Long> bytes = new HashMap<>();
        byScope.forEach((scope, size) -> keys.numberOf(scope).ifPresent(number -> bytes.put(number, size)));
        return bytes;
    }

    /** Fails where a manifest is damaged: what its chunks are encrypted by is not known, and no key is to be taken for unused. */
    private static Map<Integer, Long> stored(SnapshotStore store) throws TierException, ManifestException {
        Map<Integer, Long> bytes = new HashMap<>();
        for (ChunkRef chunk : store.namedChunks()) {
            ChunkDigest digest = new ChunkDigest(chunk.digest());
            OptionalInt number = store.nvme().keyOf(digest, chunk.sizeBytes());
            if (number.isPresent()) {
                bytes.merge(number.getAsInt(), store.nvme().storedBytes(digest), Long::sum);
            }
        }
        return bytes;
    }

    /**
     * @param tier empty for all
     * @throws StageException TIER_MISMATCH when there is none that is encrypted
     */
    private List<Chain> of(Optional<String> tier) throws StageException {
        List<Chain> meant = chains.stream()
                .filter(chain -> tier.isEmpty() || tier.get().equals(chain.tier()))
                .toList();
        if (meant.isEmpty()) {
            throw new StageException(
                    FailureCode.TIER_MISMATCH,
                    tier.map(name -> "tier " + name + " of this node is not encrypted, or there is none")
                                    .orElse("no tier of this node is encrypted")
                            + " (tiers.keyFile)");
        }
        return meant;
    }

    /**
     * Of a shared tier the index of every pack is read, of the node's own each chunk is looked at.
     *
     * @throws StageException TIER_MISMATCH, STORE_ERROR, TIER_UNAVAILABLE, CHUNK_CORRUPT where a manifest is damaged
     */
    public List<Listed> list(Optional<String> tier) throws StageException {
        List<Listed> listed = new ArrayList<>();
        try {
            for (Chain chain : of(tier)) {
                Map<Integer, Long> stored = chain.stored().bytes();
                chain.keys()
                        .list()
                        .forEach(key -> listed.add(new Listed(
                                chain.tier(),
                                chain.keys().tenant(),
                                key.number(),
                                key.keyId(),
                                key.current() && chain.encrypts(),
                                stored.getOrDefault(key.number(), 0L))));
            }
        } catch (TierException | ManifestException e) {
            throw Failures.typed(e);
        }
        return listed;
    }

    /**
     * Makes a new data key in each; what is written from then on is encrypted by it.
     *
     * @throws StageException as {@link #list}
     */
    public List<Made> rotate(Optional<String> tier) throws StageException {
        List<Made> made = new ArrayList<>();
        try {
            for (Chain chain : of(tier).stream().filter(Chain::encrypts).toList()) {
                int number = chain.keys().rotate(chain.storeId().get(), chain.sealed());
                made.add(new Made(
                        chain.tier(), number, chain.keys().list().get(number).keyId()));
            }
        } catch (TierException e) {
            throw Failures.typed(e);
        }
        return made;
    }

    /**
     * Wraps all data keys by the first key of {@code tiers.keyFile}.
     *
     * @throws StageException as {@link #list}; also when a data key was wrapped by a key that is not in the file
     */
    public List<Rewrapped> rewrap(Optional<String> tier, Progress progress) throws StageException {
        List<Rewrapped> done = new ArrayList<>();
        try {
            for (Chain chain : of(tier)) {
                int[] all = {0};
                int changed = chain.keys().rewrap(chain.storeId().get(), (keys, of) -> {
                    all[0] = of;
                    progress.done(chain.tier(), keys, of);
                });
                done.add(new Rewrapped(chain.tier(), all[0], changed));
            }
        } catch (TierException e) {
            throw Failures.typed(e);
        }
        return done;
    }
}
