package io.gpusnap.node.tier.key;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A data key as it lies in a store.
 *
 * @param keyId of the provider's key that wrapped it
 */
record WrappedKey(String keyId, byte[] wrapped) {

    private static final Pattern FORM = Pattern.compile(
            "\\{\"format\":\"gpusnap-key 1\",\"keyId\":\"([0-9a-f]{16})\",\"wrapped\":\"((?:[0-9a-f]{2})+)\"\\}\n");

    static WrappedKey of(KeyProvider provider, byte[] secret, String context) throws TierException {
        return new WrappedKey(provider.keyId(), provider.wrap(secret, context));
    }

    byte[] encode() {
        return "{\"format\":\"gpusnap-key 1\",\"keyId\":\"%s\",\"wrapped\":\"%s\"}\n"
                .formatted(keyId, HexFormat.of().formatHex(wrapped))
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** @throws TierException IO when it is none */
    static WrappedKey decode(byte[] bytes, String location) throws TierException {
        Matcher form = FORM.matcher(new String(bytes, StandardCharsets.US_ASCII));
        if (!form.matches()) {
            throw new TierException(Reason.IO, "a key in " + location + " is no wrapped key");
        }
        return new WrappedKey(form.group(1), HexFormat.of().parseHex(form.group(2)));
    }
}
