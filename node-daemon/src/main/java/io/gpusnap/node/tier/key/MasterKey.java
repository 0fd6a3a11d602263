package io.gpusnap.node.tier.key;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** A provider whose key this process holds: out of a file, which may be a mounted secret, or out of the environment. */
public final class MasterKey implements KeyProvider {

    private static final int KEY_BYTES = 32;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;
    private static final int ID_DIGITS = 16;

    private final SecretKeySpec key;
    private final String keyId;
    private final SecureRandom random = new SecureRandom();

    private MasterKey(byte[] bytes) {
        this.key = new SecretKeySpec(bytes, "AES");
        this.keyId = HexFormat.of()
                .formatHex(Macs.of(bytes, "gpusnap key id".getBytes(StandardCharsets.US_ASCII)))
                .substring(0, ID_DIGITS);
    }

    /**
     * @param hex 64 hex digits, as {@code openssl rand -hex 32} makes them
     * @throws IllegalArgumentException when they are not; the message does not repeat them
     */
    public static MasterKey ofHex(String hex) {
        String stripped = hex.strip();
        if (!stripped.matches("[0-9a-fA-F]{64}")) {
            throw new IllegalArgumentException("a key is 64 hex digits: openssl rand -hex 32 makes one");
        }
        return new MasterKey(HexFormat.of().parseHex(stripped));
    }

    @Override
    public String keyId() {
        return keyId;
    }

    @Override
    public byte[] wrap(byte[] dataKey, String context) throws TierException {
        if (dataKey.length != KEY_BYTES) {
            throw new IllegalArgumentException("a data key has 32 bytes");
        }
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        byte[] sealed = run(Cipher.ENCRYPT_MODE, nonce, dataKey, context);
        byte[] wrapped = Arrays.copyOf(nonce, NONCE_BYTES + sealed.length);
        System.arraycopy(sealed, 0, wrapped, NONCE_BYTES, sealed.length);
        return wrapped;
    }

    @Override
    public byte[] unwrap(byte[] wrapped, String wrappedBy, String context) throws TierException {
        if (!wrappedBy.equals(keyId)) {
            throw new TierException(
                    Reason.NO_KEY,
                    "a data key was wrapped by key %s, this node has key %s".formatted(wrappedBy, keyId));
        }
        if (wrapped.length <= NONCE_BYTES) {
            throw new TierException(Reason.IO, "a wrapped data key is too short");
        }
        return run(
                Cipher.DECRYPT_MODE,
                Arrays.copyOf(wrapped, NONCE_BYTES),
                Arrays.copyOfRange(wrapped, NONCE_BYTES, wrapped.length),
                context);
    }

    private byte[] run(int mode, byte[] nonce, byte[] input, String context) throws TierException {
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
            cipher.updateAAD(context.getBytes(StandardCharsets.UTF_8));
            return cipher.doFinal(input);
        } catch (GeneralSecurityException e) {
            throw new TierException(Reason.IO, "a data key cannot be wrapped or unwrapped by key " + keyId, e);
        }
    }

    @Override
    public String toString() {
        return "key " + keyId;
    }
}
