package io.gpusnap.node.engine;

import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.key.KeyProvider;
import io.gpusnap.node.tier.key.ManifestSigner;
import io.gpusnap.node.tier.key.SharedKeyFolder;
import io.gpusnap.node.tier.key.TenantKeys;
import io.gpusnap.node.tier.pack.FrameSettings;
import java.util.Optional;

/**
 * How chunks and manifests are protected in shared stores.
 *
 * @param provider wraps the tenant's data keys; empty: chunks are not encrypted
 * @param encryptNvme also in the node's own store
 */
public record TierKeys(
        String tenant, boolean compress, Optional<KeyProvider> provider, ManifestSigner signer, boolean encryptNvme) {

    /** The node's own store is not encrypted. */
    public TierKeys(String tenant, boolean compress, Optional<KeyProvider> provider, ManifestSigner signer) {
        this(tenant, compress, provider, signer, false);
    }

    public static TierKeys none() {
        return new TierKeys("default", false, Optional.empty(), ManifestSigner.none());
    }

    NvmeTier own(StoreRoot root, long reserveBytes) {
        return new NvmeTier(root, reserveBytes, provider, tenant, encryptNvme);
    }

    FrameSettings of(BlobStore store) {
        return new FrameSettings(
                compress, provider.map(it -> new TenantKeys(new SharedKeyFolder(store), it, tenant)), signer);
    }
}
