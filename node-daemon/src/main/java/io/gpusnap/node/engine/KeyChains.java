package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.key.TenantKeys;
import io.gpusnap.node.tier.pack.PackTier;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The data keys of this node's tenant, in each place that has its own. */
public final class KeyChains {

    private interface StoreId {
        UUID get() throws TierException;
    }

    private record Chain(String tier, TenantKeys keys, StoreId storeId) {}

    /** One data key of a tier. */
    public record Listed(String tier, int number, String wrappedBy, boolean current) {}

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
        store.nvme().keys().ifPresent(keys -> found.add(new Chain(Tiers.NVME, keys, store.nvme()::storeId)));
        for (PackTier tier : store.sources().shared()) {
            tier.keys().ifPresent(keys -> found.add(new Chain(tier.name(), keys, tier::storeId)));
        }
        this.chains = List.copyOf(found);
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

    /** @throws StageException TIER_MISMATCH, STORE_ERROR, TIER_UNAVAILABLE */
    public List<Listed> list(Optional<String> tier) throws StageException {
        List<Listed> listed = new ArrayList<>();
        try {
            for (Chain chain : of(tier)) {
                chain.keys()
                        .list()
                        .forEach(key -> listed.add(new Listed(chain.tier(), key.number(), key.keyId(), key.current())));
            }
        } catch (TierException e) {
            throw Failures.typed(e);
        }
        return listed;
    }

    /**
     * Makes a new data key in each; what is written from then on is encrypted by it.
     *
     * @throws StageException as {@link #list}
     */
    public List<Listed> rotate(Optional<String> tier) throws StageException {
        try {
            for (Chain chain : of(tier)) {
                chain.keys().rotate(chain.storeId().get());
            }
        } catch (TierException e) {
            throw Failures.typed(e);
        }
        return list(tier).stream().filter(Listed::current).toList();
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
