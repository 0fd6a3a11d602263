package io.gpusnap.node.config;

import java.util.Optional;

/**
 * What protects chunks and manifests in shared stores.
 *
 * @param key of 64 hex digits, wraps the tenant's data keys; empty: chunks are not encrypted
 * @param signingKey PEM; empty: manifests are not signed
 * @param trustedKeys PEMs; empty: unsigned manifests are taken
 */
public record TierKeySettings(
        String tenant,
        boolean compress,
        Optional<SecretToken> key,
        Optional<SecretToken> signingKey,
        Optional<String> trustedKeys) {

    static TierKeySettings none() {
        return new TierKeySettings("default", false, Optional.empty(), Optional.empty(), Optional.empty());
    }
}
