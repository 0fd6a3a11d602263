package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.key.KeyFolder;
import io.gpusnap.node.tier.key.KeyProvider;
import io.gpusnap.node.tier.key.ManifestSigner;
import io.gpusnap.node.tier.key.TenantKeys;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What is done to chunks and manifests on their way into a shared store.
 *
 * @param compression of chunks that shrink by it
 * @param keys that encrypt, the tenant's or its sharing group's; empty: nothing is encrypted, and what is cannot be read
 * @param own with keys of a group: the tenant's own, for what it had before it shared
 */
public record FrameSettings(
        Compression compression, Optional<TenantKeys> keys, Optional<TenantKeys> own, ManifestSigner signer) {

    /** Of a tenant by itself. */
    public FrameSettings(Compression compression, Optional<TenantKeys> keys, ManifestSigner signer) {
        this(compression, keys, Optional.empty(), signer);
    }

    /** Nothing. */
    public static FrameSettings none() {
        return new FrameSettings(Compression.OFF, Optional.empty(), ManifestSigner.none());
    }

    /** @param group of tenants that share chunks; empty: the tenant shares with nobody */
    public static FrameSettings sealed(
            Compression compression,
            KeyFolder folder,
            KeyProvider provider,
            String tenant,
            Optional<String> group,
            ManifestSigner signer) {
        TenantKeys own = new TenantKeys(folder, provider, tenant);
        return group.map(name -> new FrameSettings(
                        compression,
                        Optional.of(new TenantKeys(folder, provider, TenantKeys.ownerOf(name))),
                        Optional.of(own),
                        signer))
                .orElseGet(() -> new FrameSettings(compression, Optional.of(own), signer));
    }

    /** Whether chunks of a pack can be read here: nobody's, this tenant's, or its group's. */
    boolean opens(String scope) {
        return scope.isEmpty() || keysOf(scope).isPresent();
    }

    Optional<TenantKeys> keysOf(String scope) {
        return Stream.concat(keys.stream(), own.stream())
                .filter(mine -> mine.owns(scope))
                .findFirst();
    }

    TierException foreign(ChunkDigest digest, String scope) {
        return new TierException(
                Reason.NO_KEY,
                "chunk %s is encrypted for %s, this node has %s"
                        .formatted(
                                digest,
                                scope,
                                keys.map(mine -> "the key of " + mine.tenant()).orElse("no key (tiers.keyFile)")));
    }
}
