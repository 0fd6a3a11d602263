package io.gpusnap.node.tier.key;

import io.gpusnap.node.tier.TierException;
import java.util.List;

/**
 * Wraps data keys by a key that never leaves it, as a key management service does. What it gives out can lie beside the data.
 * Guarantees of every provider: what it has wrapped it unwraps, for the same context only; anything else fails, and says no word of
 * the key. Thread-safe.
 */
public interface KeyProvider {

    /** Which key wraps now; no secret. */
    String keyId();

    /** Keys whose wrapped keys it unwraps, the one that wraps now first. */
    default List<String> keyIds() {
        return List.of(keyId());
    }

    /**
     * @param dataKey 32 bytes
     * @param context must be the same to unwrap; no secret
     */
    byte[] wrap(byte[] dataKey, String context) throws TierException;

    /**
     * @param keyId which key has wrapped it
     * @throws TierException NO_KEY when this provider has no such key; IO when the wrapped key or the context is another
     */
    byte[] unwrap(byte[] wrapped, String keyId, String context) throws TierException;
}
