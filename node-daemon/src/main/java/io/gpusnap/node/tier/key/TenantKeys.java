package io.gpusnap.node.tier.key;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The data key of this node's tenant in one store. It lies in the store, wrapped by the provider's key and bound to tenant and
 * store; whoever needs it first makes it. Keys of other tenants are never asked for.
 */
public final class TenantKeys {

    private static final int MOST_BYTES = 4096;
    private static final Pattern FORM = Pattern.compile(
            "\\{\"format\":\"gpusnap-key 1\",\"keyId\":\"([0-9a-f]{16})\",\"wrapped\":\"([0-9a-f]+)\"\\}\n");

    private final BlobStore store;
    private final KeyProvider provider;
    private final String tenant;
    private @Nullable DataKey known;

    public TenantKeys(BlobStore store, KeyProvider provider, String tenant) {
        this.store = store;
        this.provider = provider;
        this.tenant = tenant;
    }

    public String tenant() {
        return tenant;
    }

    /**
     * @param storeId the key is of no use in another store
     * @throws TierException IO when the provider's key is another one than wrapped it
     */
    public synchronized DataKey get(UUID storeId) throws TierException {
        DataKey key = known;
        if (key == null) {
            key = new DataKey(tenant, load(storeId));
            known = key;
        }
        return key;
    }

    private byte[] load(UUID storeId) throws TierException {
        String context = "gpusnap data key of " + tenant + " in " + storeId;
        BlobKey name = BlobKey.dataKey(ChunkDigest.of(Macs.of(
                "gpusnap tenant".getBytes(StandardCharsets.US_ASCII), tenant.getBytes(StandardCharsets.UTF_8))));
        if (store.find(name).isEmpty()) {
            byte[] fresh = new byte[32];
            new SecureRandom().nextBytes(fresh);
            String text = "{\"format\":\"gpusnap-key 1\",\"keyId\":\"%s\",\"wrapped\":\"%s\"}\n"
                    .formatted(provider.keyId(), HexFormat.of().formatHex(provider.wrap(fresh, context)));
            store.put(name, MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII)), IfThere.KEEP);
        }
        // Read back in any case: somebody else may have been first.
        Matcher form = FORM.matcher(new String(store.readAll(name, MOST_BYTES), StandardCharsets.US_ASCII));
        if (!form.matches()) {
            throw new TierException(Reason.IO, name + " in " + store.location() + " is no wrapped key");
        }
        return provider.unwrap(HexFormat.of().parseHex(form.group(2)), form.group(1), context);
    }
}
