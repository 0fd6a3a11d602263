package io.gpusnap.node.engine;

import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.key.KeyProvider;
import io.gpusnap.node.tier.key.ManifestSigner;
import io.gpusnap.node.tier.key.TenantKeys;
import io.gpusnap.node.tier.pack.FrameSettings;
import java.util.Optional;

/**
 * How chunks and manifests are protected in shared stores.
 *
 * @param provider wraps the tenant's data keys; empty: chunks are not encrypted
 */
public record TierKeys(String tenant, boolean compress, Optional<KeyProvider> provider, ManifestSigner signer) {

    public static TierKeys none() {
        return new TierKeys("default", false, Optional.empty(), ManifestSigner.none());
    }

    FrameSettings of(BlobStore store) {
        return new FrameSettings(compress, provider.map(it -> new TenantKeys(store, it, tenant)), signer);
    }
}
