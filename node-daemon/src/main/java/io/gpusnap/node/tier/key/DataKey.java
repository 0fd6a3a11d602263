package io.gpusnap.node.tier.key;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.OptionalInt;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Encrypts chunks of one tenant by AES-256-GCM. A sealed chunk is bound to its tenant, its digest and the way it was made: in
 * another place it does not open. The nonce is a keyed hash of all that decides what is encrypted, so the same chunk always seals
 * to the same bytes, which an upload that is gone on with needs, and no two different ones ever share a nonce
 * (0072). Thread-safe.
 */
public final class DataKey {

    /** What a sealed chunk is longer by. */
    public static final int OVERHEAD_BYTES = 12 + 16;

    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;

    private static final char NUMBER = '#';

    private final String tenant;
    private final int number;
    private final SecretKeySpec encryption;
    private final byte[] nonces;

    /** @param number of the tenant's keys in one place, 0 for the first */
    DataKey(String tenant, int number, byte[] dataKey) {
        this.tenant = tenant;
        this.number = number;
        this.encryption = new SecretKeySpec(Macs.of(dataKey, ascii("gpusnap chunk encryption")), "AES");
        this.nonces = Macs.of(dataKey, ascii("gpusnap chunk nonces"));
    }

    public String tenant() {
        return tenant;
    }

    public int number() {
        return number;
    }

    /** Which key it is, as packs name it: the tenant alone for the first, as it was when there was only one. */
    public String scope() {
        return scope(tenant, number);
    }

    /** Whether both encrypt alike, whatever they are called. */
    boolean isSameAs(DataKey other) {
        return MessageDigest.isEqual(nonces, other.nonces);
    }

    static String scope(String tenant, int number) {
        return number == 0 ? tenant : tenant + NUMBER + number;
    }

    /** Which of the tenant's keys a scope means; empty when it is another tenant's. */
    static OptionalInt numberOf(String tenant, String scope) {
        if (scope.equals(tenant)) {
            return OptionalInt.of(0);
        }
        String start = tenant + NUMBER;
        String digits = scope.startsWith(start) ? scope.substring(start.length()) : "";
        return digits.matches("[1-9][0-9]{0,5}") ? OptionalInt.of(Integer.parseInt(digits)) : OptionalInt.empty();
    }

    /**
     * @param codec how the content was made of the chunk
     * @param content read to its end
     * @param target gets {@link #OVERHEAD_BYTES} more
     */
    public void seal(ChunkDigest digest, int codec, ByteBuffer content, ByteBuffer target) {
        byte[] nonce =
                Arrays.copyOf(Macs.of(nonces, bound(digest, codec), contentHash(content.duplicate())), NONCE_BYTES);
        try {
            target.put(nonce);
            cipher(Cipher.ENCRYPT_MODE, nonce, digest, codec).doFinal(content, target);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES-GCM", e);
        }
    }

    /** @throws TierException CORRUPT when it is not what this key has sealed as this chunk */
    public void open(ChunkDigest digest, int codec, ByteBuffer sealed, ByteBuffer target) throws TierException {
        if (sealed.remaining() < OVERHEAD_BYTES || sealed.remaining() - OVERHEAD_BYTES > target.remaining()) {
            throw new TierException(Reason.CORRUPT, "sealed chunk " + digest + " is of another size");
        }
        byte[] nonce = new byte[NONCE_BYTES];
        sealed.get(nonce);
        try {
            cipher(Cipher.DECRYPT_MODE, nonce, digest, codec).doFinal(sealed, target);
        } catch (AEADBadTagException e) {
            throw new TierException(
                    Reason.CORRUPT, "chunk %s does not open with the key of %s".formatted(digest, tenant), e);
        } catch (GeneralSecurityException e) {
            throw new TierException(Reason.IO, "chunk " + digest + " cannot be decrypted", e);
        }
    }

    private Cipher cipher(int mode, byte[] nonce, ChunkDigest digest, int codec) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, encryption, new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(bound(digest, codec));
        return cipher;
    }

    private byte[] bound(ChunkDigest digest, int codec) {
        byte[] name = tenant.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(4 + name.length + ChunkDigest.BYTES + 4)
                .putInt(name.length)
                .put(name)
                .put(digest.bytes())
                .putInt(codec)
                .array();
    }

    /** The digest says what the chunk is, but a compressor's next version may make other bytes of it. */
    private static byte[] contentHash(ByteBuffer content) {
        try {
            java.security.MessageDigest sha = java.security.MessageDigest.getInstance("SHA-256");
            sha.update(content);
            return sha.digest();
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
