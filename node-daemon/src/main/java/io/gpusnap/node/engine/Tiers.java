package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Damage;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.ChunkValidation;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierKind;
import io.gpusnap.node.tier.TierUsage;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.pack.StoreValidation;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** This node's tiers by name: {@code memory}, {@code nvme}, and the shared ones as the settings call them. */
final class Tiers {

    static final String MEMORY = "memory";
    static final String NVME = ChunkSources.NVME;

    private final SnapshotStore store;

    Tiers(SnapshotStore store) {
        this.store = store;
    }

    /**
     * Every tier.
     *
     * @param look how a shared one is looked at, which may take a while
     */
    List<TierState> states(Function<PackTier, TierState> look) throws TierException {
        List<TierState> states = new ArrayList<>();
        states.add(new TierState(MEMORY, store.memory().usage(), Optional.of(memoryId()), Optional.empty()));
        states.add(new TierState(NVME, store.nvme().usage(), Optional.of(nvmeId()), Optional.empty()));
        for (PackTier tier : store.sources().shared()) {
            states.add(look.apply(tier));
        }
        return states;
    }

    /** As it is now; one that does not answer, with the reason. */
    static TierState state(PackTier tier) {
        try {
            UUID id = tier.storeId();
            if (tier.trouble().isPresent()) {
                // Nobody sends an operation to a tier that is said to be in trouble: it is for who looks to find it
                // well again.
                tier.look();
            }
            return new TierState(tier.name(), tier.usage(), Optional.of(id), tier.trouble());
        } catch (TierException e) {
            TierUsage nothing = new TierUsage(tier.kind(), tier.store().location(), 0, 0, 0);
            return new TierState(
                    tier.name(), nothing, tier.knownStoreId(), Optional.of(String.valueOf(e.getMessage())));
        }
    }

    Map<String, Long> quarantined() {
        Map<String, Long> found = new LinkedHashMap<>();
        found.put(TierKind.NVME.name(), store.nvme().quarantined());
        store.sources().shared().forEach(tier -> found.put(tier.kind().name(), tier.quarantined()));
        return found;
    }

    Map<String, Supplier<List<StoreValidation.Check>>> validations() {
        Map<String, Supplier<List<StoreValidation.Check>>> trials = new LinkedHashMap<>();
        trials.put(NVME, () -> List.of(own()));
        for (PackTier tier : store.sources().shared()) {
            trials.put(tier.name(), () -> new StoreValidation(tier.store()).run());
        }
        return trials;
    }

    private StoreValidation.Check own() {
        try {
            return StoreValidation.Check.passed("chunk", ChunkValidation.run(store.nvme()));
        } catch (TierException e) {
            return StoreValidation.Check.failed(
                    "chunk", String.valueOf(e.getMessage()), "check the disk of nvme.root, its rights and its room");
        }
    }

    /** Whether a shared tier that answers has the chunk. */
    boolean isShared(ChunkDigest digest, int sizeBytes) {
        for (PackTier tier : store.sources().shared()) {
            try {
                if (tier.contains(digest, sizeBytes)) {
                    return true;
                }
            } catch (TierException e) {
                continue; // as good as not there
            }
        }
        return false;
    }

    /** Remembers what an operation has found wrong, for who keeps track of copies. */
    void remember(SnapshotId snapshot, Damage damage, StageContext context) {
        List<DamagedCopies.Copy> copies = new ArrayList<>();
        damage.byTier()
                .forEach((name, detail) ->
                        storeId(name).ifPresent(id -> copies.add(new DamagedCopies.Copy(id, detail))));
        if (!copies.isEmpty()) {
            context.remember(new DamagedCopies(snapshot, copies));
        }
    }

    private Optional<UUID> storeId(String name) {
        try {
            return name.equals(NVME)
                    ? Optional.of(nvmeId())
                    : store.sources().shared().stream()
                            .filter(tier -> tier.name().equals(name))
                            .findFirst()
                            .flatMap(PackTier::knownStoreId);
        } catch (TierException e) {
            return Optional.empty(); // a store that cannot tell its id has more trouble than this
        }
    }

    private UUID nvmeId() throws TierException {
        return store.nvme().storeId();
    }

    /** The pool has no place for an id of its own: it is one with the node's store. */
    private UUID memoryId() throws TierException {
        return UUID.nameUUIDFromBytes((nvmeId() + " memory").getBytes(StandardCharsets.US_ASCII));
    }

    /** @throws StageException TIER_MISMATCH when there is no such tier, or another store is behind its name */
    TierKind kind(TierRef ref) throws StageException, TierException {
        TierKind kind;
        UUID found;
        switch (ref.name()) {
            case MEMORY -> {
                kind = TierKind.MEMORY;
                found = memoryId();
            }
            case NVME -> {
                kind = TierKind.NVME;
                found = nvmeId();
            }
            default -> {
                PackTier tier = byName(ref.name());
                kind = tier.kind();
                found = tier.storeId();
            }
        }
        if (ref.storeId().isPresent() && !ref.storeId().get().equals(found)) {
            throw new StageException(
                    FailureCode.TIER_MISMATCH,
                    "tier %s of this node is store %s, not %s"
                            .formatted(ref.name(), found, ref.storeId().get()));
        }
        return kind;
    }

    /** @throws StageException TIER_MISMATCH; also when the tier is not a shared one */
    PackTier shared(TierRef ref) throws StageException, TierException {
        kind(ref);
        return byName(ref.name());
    }

    private PackTier byName(String name) throws StageException {
        return store.sources().shared().stream()
                .filter(tier -> tier.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new StageException(
                        FailureCode.TIER_MISMATCH,
                        "this node has no shared tier %s; there are %s".formatted(name, names())));
    }

    private String names() {
        return Stream.concat(
                        Stream.of(MEMORY, NVME),
                        store.sources().shared().stream().map(PackTier::name))
                .collect(Collectors.joining(", "));
    }
}
