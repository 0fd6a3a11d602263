package io.gpusnap.node.tier.key;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.util.List;
import java.util.stream.Collectors;

/** Several keys of this process: the first wraps, each unwraps what it has wrapped. So one can be changed for another while both are used. */
public final class KeyRing implements KeyProvider {

    private final List<MasterKey> keys;

    private KeyRing(List<MasterKey> keys) {
        this.keys = List.copyOf(keys);
    }

    /**
     * @param text a key a line, each of 64 hex digits; empty lines do not count
     * @throws IllegalArgumentException when there is none, or a line is none; the message does not repeat it
     */
    public static KeyRing ofHex(String text) {
        List<MasterKey> keys = text.lines()
                .filter(line -> !line.isBlank())
                .map(MasterKey::ofHex)
                .toList();
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("there is no key in it: openssl rand -hex 32 makes one");
        }
        return new KeyRing(keys);
    }

    @Override
    public String keyId() {
        return keys.getFirst().keyId();
    }

    @Override
    public byte[] wrap(byte[] dataKey, String context) throws TierException {
        return keys.getFirst().wrap(dataKey, context);
    }

    @Override
    public byte[] unwrap(byte[] wrapped, String wrappedBy, String context) throws TierException {
        for (MasterKey key : keys) {
            if (key.keyId().equals(wrappedBy)) {
                return key.unwrap(wrapped, wrappedBy, context);
            }
        }
        throw new TierException(
                Reason.IO,
                "a data key was wrapped by key %s, this node has %s (tiers.keyFile)"
                        .formatted(
                                wrappedBy,
                                keys.stream().map(MasterKey::toString).collect(Collectors.joining(", "))));
    }

    @Override
    public String toString() {
        return keys.toString();
    }
}
