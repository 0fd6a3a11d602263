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
 * @param keyId of the provider's key that wrapped it: a word of visible ASCII letters without quotes and backslashes, such as an ARN or a
 *     URL
 */
record WrappedKey(String keyId, byte[] wrapped) {

    private static final String ID = "[!#-\\[\\]-~]{1,2048}";
    private static final int MOST_WRAPPED_BYTES = 4096;
    private static final Pattern FORM = Pattern.compile(
            "\\{\"format\":\"gpusnap-key 1\",\"keyId\":\"(" + ID + ")\",\"wrapped\":\"((?:[0-9a-f]{2})++)\"\\}\n");

    static WrappedKey of(KeyProvider provider, byte[] secret, String context) throws TierException {
        if (!provider.keyId().matches(ID)) {
            throw new TierException(
                    Reason.IO, "the id of a key is at most 2048 visible ASCII letters without quotes and backslashes");
        }
        byte[] wrapped = provider.wrap(secret, context);
        if (wrapped.length > MOST_WRAPPED_BYTES) {
            throw new TierException(
                    Reason.IO, "the key provider made %d bytes of a data key".formatted(wrapped.length));
        }
        return new WrappedKey(provider.keyId(), wrapped);
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
