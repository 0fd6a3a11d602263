package io.gpusnap.node.tier.pack;

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
}
