package io.gpusnap.node.engine;

import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.key.KeyProvider;
import io.gpusnap.node.tier.key.ManifestSigner;
import io.gpusnap.node.tier.key.SharedKeyFolder;
import io.gpusnap.node.tier.key.TenantKeys;
import io.gpusnap.node.tier.pack.Compression;
import io.gpusnap.node.tier.pack.FrameSettings;
import java.util.List;
import java.util.Optional;

/**
 * How chunks and manifests lie in stores.
 *
 * @param provider wraps the tenant's data keys; empty: chunks are not encrypted
 * @param sharingGroup of tenants that share chunks in shared stores; empty: the tenant shares with nobody
 * @param compression of chunks that shrink by it, in shared stores
 * @param encryptNvme also in the node's own store, there for the tenant alone
 * @param compressNvme chunks that shrink by it, in the node's own store
 */
public record TierKeys(
        String tenant,
        Optional<String> sharingGroup,
        Compression compression,
        Optional<KeyProvider> provider,
        ManifestSigner signer,
        boolean encryptNvme,
        boolean compressNvme) {

    /** Of a tenant that shares with nobody; the node's own store is not encrypted. */
    public TierKeys(String tenant, Compression compression, Optional<KeyProvider> provider, ManifestSigner signer) {
        this(tenant, Optional.empty(), compression, provider, signer, false, false);
    }

    public static TierKeys none() {
        return new TierKeys("default", Compression.OFF, Optional.empty(), ManifestSigner.none());
    }

    /** What can be opened here and whose signatures are taken, by ids only. */
    public Access access() {
        return new Access(
                provider.isEmpty()
                        ? List.of()
                        : sharingGroup
                                .map(group -> List.of(TenantKeys.ownerOf(group), tenant))
                                .orElse(List.of(tenant)),
                provider.map(KeyProvider::keyIds).orElse(List.of()),
                signer.signingId(),
                signer.trustedIds());
    }

    /**
     * Ids, no secrets.
     *
     * @param opens whose chunks can be read, tenants and with an @ before them groups; first as whose new ones are written
     * @param keyIds of the provider's keys
     * @param signsAs empty also where it cannot be told
     * @param trusts empty: signatures are not asked for
     */
    public record Access(List<String> opens, List<String> keyIds, Optional<String> signsAs, List<String> trusts) {}

    /** Why chunks' files in the node's own store hold other bytes than the chunks; empty where they do not. */
    Optional<String> framesOwn() {
        if (encryptNvme) {
            return Optional.of("chunks are encrypted on this disk (nvme.encrypt = true)");
        }
        return compressNvme
                ? Optional.of("chunks are compressed on this disk (nvme.compress = true)")
                : Optional.empty();
    }

    NvmeTier own(StoreRoot root, long reserveBytes) {
        return new NvmeTier(
                root, reserveBytes, provider, tenant, encryptNvme, compressNvme ? Compression.PLANES : Compression.OFF);
    }

    FrameSettings of(BlobStore store) {
        return provider.map(it ->
                        FrameSettings.sealed(compression, new SharedKeyFolder(store), it, tenant, sharingGroup, signer))
                .orElseGet(() -> new FrameSettings(compression, Optional.empty(), signer));
    }
}
