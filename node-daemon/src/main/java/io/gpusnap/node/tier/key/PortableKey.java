package io.gpusnap.node.tier.key;

import io.gpusnap.node.tier.TierException;
import java.security.SecureRandom;
import java.util.UUID;

/**
 * A data key that travels with what it encrypts: wrapped by the provider's key, bound to the tenant and to the one archive that it
 * was made for.
 *
 * @param archive another one for each
 * @param keyId what wrapped it
 */
public record PortableKey(UUID archive, String tenant, String keyId, byte[] wrapped, DataKey key) {

    private static final int KEY_BYTES = 32;

    public static PortableKey fresh(KeyProvider provider, String tenant) throws TierException {
        UUID archive = UUID.randomUUID();
        byte[] secret = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(secret);
        byte[] wrapped = provider.wrap(secret, context(tenant, archive));
        return new PortableKey(archive, tenant, provider.keyId(), wrapped, new DataKey(tenant, 0, secret));
    }

    /** @throws TierException NO_KEY when the provider does not have the key that wrapped it, IO when it is another's */
    public static PortableKey open(KeyProvider provider, String tenant, UUID archive, String keyId, byte[] wrapped)
            throws TierException {
        byte[] secret = provider.unwrap(wrapped, keyId, context(tenant, archive));
        return new PortableKey(archive, tenant, keyId, wrapped, new DataKey(tenant, 0, secret));
    }

    private static String context(String tenant, UUID archive) {
        return "gpusnap data key of " + tenant + " in archive " + archive;
    }

    @Override
    public String toString() {
        return "key of archive " + archive;
    }
}
