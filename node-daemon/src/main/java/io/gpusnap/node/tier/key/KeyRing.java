package io.gpusnap.node.tier.key;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.util.List;
import java.util.stream.Collectors;

/** Several keys: the first wraps, each unwraps what it has wrapped. So one can be changed for another while both are used. */
public final class KeyRing implements KeyProvider {

    private final List<KeyProvider> keys;

    private KeyRing(List<? extends KeyProvider> keys) {
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

    /** @param first wraps; the others only unwrap */
    public static KeyRing of(KeyProvider first, KeyProvider others) {
        return new KeyRing(List.of(first, others));
    }

    @Override
    public String keyId() {
        return keys.getFirst().keyId();
    }

    @Override
    public List<String> keyIds() {
        return keys.stream().flatMap(key -> key.keyIds().stream()).toList();
    }

    @Override
    public byte[] wrap(byte[] dataKey, String context) throws TierException {
        return keys.getFirst().wrap(dataKey, context);
    }

    @Override
    public byte[] unwrap(byte[] wrapped, String wrappedBy, String context) throws TierException {
        for (KeyProvider key : keys) {
            if (key.keyIds().contains(wrappedBy)) {
                return key.unwrap(wrapped, wrappedBy, context);
            }
        }
        throw new TierException(
                Reason.NO_KEY,
                "a data key was wrapped by key %s, this node has %s (tiers.keyFile)"
                        .formatted(
                                wrappedBy,
                                keys.stream().map(KeyProvider::toString).collect(Collectors.joining(", "))));
    }

    @Override
    public String toString() {
        return keys.toString();
    }
}
