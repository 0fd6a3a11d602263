package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.key.ManifestSigner;
import io.gpusnap.node.tier.key.TenantKeys;
import java.util.Optional;

/**
 * What is done to chunks and manifests on their way into a shared store.
 *
 * @param compress chunks that shrink by it
 * @param keys empty: nothing is encrypted, and what is cannot be read
 */
public record FrameSettings(boolean compress, Optional<TenantKeys> keys, ManifestSigner signer) {

    /** Nothing. */
    public static FrameSettings none() {
        return new FrameSettings(false, Optional.empty(), ManifestSigner.none());
    }

    /** Whether chunks of a pack can be read here: nobody's, or this tenant's. */
    boolean opens(String scope) {
        return scope.isEmpty() || keys.filter(mine -> mine.owns(scope)).isPresent();
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
