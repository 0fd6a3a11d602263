package io.gpusnap.node.config;

import java.util.Optional;

/**
 * What protects chunks and manifests.
 *
 * @param sharingGroup tenants with which this one shares chunks; empty: none
 * @param compression of chunks that shrink by it, in shared tiers
 * @param key of 64 hex digits, one a line: the first wraps the tenant's data keys, unless a service does
 * @param vault whose key wraps them; empty as well as {@code key}: chunks are not encrypted
 * @param signingKey PEM; empty: manifests are not signed
 * @param trustedKeys PEMs; empty: unsigned manifests are taken
 * @param encryptNvme chunks in the node's own store as well; needs a key
 * @param compressNvme chunks in the node's own store, where they shrink
 */
public record TierKeySettings(
        String tenant,
        Optional<String> sharingGroup,
        TierCompression compression,
        Optional<SecretToken> key,
        Optional<VaultSettings> vault,
        Optional<SecretToken> signingKey,
        Optional<String> trustedKeys,
        boolean encryptNvme,
        boolean compressNvme) {

    static TierKeySettings none() {
        return new TierKeySettings(
                "default",
                Optional.empty(),
                TierCompression.OFF,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                false,
                false);
    }
}
