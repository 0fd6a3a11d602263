package io.gpusnap.service.platform.page;

import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;

/**
 * Opaque to callers: the sort key of a page's last row behind a digest of listing, filters and key. The digest tells a
 * token of another listing from one of this; it is no secret, since a token grants nothing that a filter would not.
 */
final class PageToken {
    private static final int DIGEST_BYTES = 8;

    private PageToken() {}

    static String write(String lastKey, String scope) {
        byte[] key = lastKey.getBytes(StandardCharsets.UTF_8);
        byte[] digest = digest(key, scope);
        byte[] token = ByteBuffer.allocate(DIGEST_BYTES + key.length)
                .put(digest, 0, DIGEST_BYTES)
                .put(key)
                .array();
        return Base64.getUrlEncoder().withoutPadding().encodeToString(token);
    }

    static String read(String token, String scope) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(token);
            if (bytes.length <= DIGEST_BYTES) {
                throw invalid();
            }
            byte[] key = Arrays.copyOfRange(bytes, DIGEST_BYTES, bytes.length);
            if (!Arrays.equals(bytes, 0, DIGEST_BYTES, digest(key, scope), 0, DIGEST_BYTES)) {
                throw invalid();
            }
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(key))
                    .toString();
        } catch (IllegalArgumentException | CharacterCodingException e) {
            throw invalid();
        }
    }

    static ApiException invalid() {
        return new ApiException(
                ErrorCode.INVALID_PAGE_TOKEN, "pageToken is not one that this listing with these filters gave out.");
    }

    private static byte[] digest(byte[] key, String scope) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(scope.getBytes(StandardCharsets.UTF_8));
            digest.update((byte) 0);
            return digest.digest(key);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
