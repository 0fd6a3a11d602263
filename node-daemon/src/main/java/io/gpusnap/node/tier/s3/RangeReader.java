package io.gpusnap.node.tier.s3;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * Reads one range of an object. The answer must say that it is this range, of an object of the expected size, or nothing of it
 * is taken. A body that breaks off is asked for again from where it ended.
 */
final class RangeReader {

    private static final int STEP_BYTES = 64 << 10;
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})");

    private final S3Client client;
    private final Attempts attempts;
    private final String bucket;

    RangeReader(S3Client client, Attempts attempts, String bucket) {
        this.client = client;
        this.attempts = attempts;
        this.bucket = bucket;
    }

    /** How far the target is filled, over several answers. */
    private static final class Filled {
        private final MemorySegment target;
        private final byte[] step = new byte[STEP_BYTES];
        private long bytes;

        private Filled(MemorySegment target) {
            this.target = target;
        }

        private long missing() {
            return target.byteSize() - bytes;
        }

        private void fill(InputStream body) throws IOException {
            while (missing() > 0) {
                int read = body.read(step, 0, (int) Math.min(step.length, missing()));
                if (read < 0) {
                    return;
                }
                MemorySegment.copy(step, 0, target, ValueLayout.JAVA_BYTE, bytes, read);
                bytes += read;
            }
        }
    }

    /** @throws TierException CORRUPT when the object is of another size, UNAVAILABLE */
    void read(String key, long wholeBytes, long offset, MemorySegment target) throws TierException {
        Filled filled = new Filled(target);
        attempts.each(() -> {
            Optional<TierException> wrong = ask(key, wholeBytes, offset, filled);
            if (wrong.isPresent()) {
                throw wrong.get();
            }
            if (filled.missing() > 0) {
                throw new TierException(
                        Reason.UNAVAILABLE, "the body of %s ended %d bytes too early".formatted(key, filled.missing()));
            }
            return true;
        });
    }

    private Optional<TierException> ask(String key, long wholeBytes, long offset, Filled filled) {
        long from = offset + filled.bytes;
        long to = offset + filled.target.byteSize() - 1;
        GetObjectRequest request = GetObjectRequest.builder()
                .bucket(bucket)
                .key(key)
                .range("bytes=%d-%d".formatted(from, to))
                .build();
        return client.getObject(request, (response, body) -> {
            Optional<TierException> wrong = check(key, response, wholeBytes, from, to);
            if (wrong.isPresent()) {
                body.abort();
                return wrong;
            }
            filled.fill(body);
            return wrong;
        });
    }

    private static Optional<TierException> check(
            String key, GetObjectResponse response, long wholeBytes, long from, long to) {
        String said = String.valueOf(response.contentRange());
        Matcher range = CONTENT_RANGE.matcher(said);
        if (!range.matches()
                || Long.parseLong(range.group(1)) != from
                || Long.parseLong(range.group(2)) > to
                || response.contentLength() == null
                || response.contentLength() != Long.parseLong(range.group(2)) - from + 1) {
            // Perhaps an error page, or somebody else's answer: no word of it is believed.
            return Optional.of(new TierException(
                    Reason.UNAVAILABLE,
                    "asked for bytes %d to %d of %s, the store answers with %s and %s bytes"
                            .formatted(from, to, key, said, response.contentLength())));
        }
        long found = Long.parseLong(range.group(3));
        return found == wholeBytes
                ? Optional.empty()
                : Optional.of(
                        new TierException(Reason.CORRUPT, "%s has %d bytes, not %d".formatted(key, found, wholeBytes)));
    }
}
