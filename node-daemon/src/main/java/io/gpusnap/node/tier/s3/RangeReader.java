package io.gpusnap.node.tier.s3;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * Reads one range of an object. The answer must say that it is this range, of an object of the expected size, or nothing of it
 * is taken. A body that breaks off is asked for again from where it ended.
 */
final class RangeReader {

    private static final int STEP_BYTES = 64 << 10;
    /** Less within a request's deadline is as good as nothing. */
    static final int LEAST_BYTES = 256 << 10;

    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})");

    private final S3Client client;
    private final Attempts attempts;
    private final String bucket;

    RangeReader(S3Client client, Attempts attempts, String bucket) {
        this.client = client;
        this.attempts = attempts;
        this.bucket = bucket;
    }

    /** What becomes of the bytes, in order. */
    private interface Taker {
        void take(MemorySegment bytes, long at);
    }

    /** How far the range has come, over several answers. */
    private static final class Progress {
        private final long sizeBytes;
        private final Taker taker;
        private final byte[] step = new byte[STEP_BYTES];
        private final MemorySegment bytesOfStep = MemorySegment.ofArray(step);
        private long bytes;

        private Progress(long sizeBytes, Taker taker) {
            this.sizeBytes = sizeBytes;
            this.taker = taker;
        }

        private long missing() {
            return sizeBytes - bytes;
        }

        private void take(InputStream body) throws IOException {
            while (missing() > 0) {
                int read = body.read(step, 0, (int) Math.min(step.length, missing()));
                if (read < 0) {
                    return;
                }
                taker.take(bytesOfStep.asSlice(0, read), bytes);
                bytes += read;
            }
        }
    }

    /** @throws TierException CORRUPT when the object is of another size, UNAVAILABLE */
    void read(String key, long wholeBytes, long offset, MemorySegment target) throws TierException {
        read(
                key,
                wholeBytes,
                offset,
                new Progress(
                        target.byteSize(),
                        (bytes, at) -> target.asSlice(at, bytes.byteSize()).copyFrom(bytes)));
    }

    /**
     * As {@link #read}, kept nowhere: compared as it comes.
     *
     * @return whether the range is this
     */
    boolean matches(String key, long wholeBytes, long offset, MemorySegment expected) throws TierException {
        boolean[] same = {true};
        read(
                key,
                wholeBytes,
                offset,
                new Progress(
                        expected.byteSize(),
                        (bytes, at) -> same[0] &=
                                expected.asSlice(at, bytes.byteSize()).mismatch(bytes) == -1));
        return same[0];
    }

    private void read(String key, long wholeBytes, long offset, Progress progress) throws TierException {
        attempts.each(() -> {
            Optional<TierException> wrong = askInTime(key, wholeBytes, offset, progress);
            if (wrong.isPresent()) {
                throw wrong.get();
            }
            if (progress.missing() > 0) {
                throw new TierException(
                        Reason.UNAVAILABLE,
                        "the body of %s ended %d bytes too early".formatted(key, progress.missing()));
            }
            return true;
        });
    }

    /** Of a store that is slow something came all the same: that is no silence. */
    private Optional<TierException> askInTime(String key, long wholeBytes, long offset, Progress progress)
            throws TierException {
        long before = progress.bytes;
        try {
            return ask(key, wholeBytes, offset, progress);
        } catch (SdkException e) {
            if (S3Errors.isSilence(e) && progress.bytes - before >= LEAST_BYTES) {
                throw new TierException(
                        Reason.UNAVAILABLE,
                        "the body of %s is too slow: %d bytes until its deadline"
                                .formatted(key, progress.bytes - before),
                        e);
            }
            throw e;
        }
    }

    private Optional<TierException> ask(String key, long wholeBytes, long offset, Progress progress) {
        long from = offset + progress.bytes;
        long to = offset + progress.sizeBytes - 1;
        return client.getObject(request(key, from, to), (response, body) -> {
            Optional<Range> range = range(response, from, to);
            if (range.isEmpty() || range.get().wholeBytes() != wholeBytes) {
                body.abort();
                return Optional.of(
                        range.isEmpty()
                                ? unbelievable(key, response, from, to)
                                : new TierException(
                                        Reason.CORRUPT,
                                        "%s has %d bytes, not %d"
                                                .formatted(key, range.get().wholeBytes(), wholeBytes)));
            }
            progress.take(body);
            return Optional.empty();
        });
    }

    /** How an object of unknown size begins, and that size. */
    record Beginning(byte[] bytes, long wholeBytes) {}

    /**
     * One request, for what is mostly all of it.
     *
     * @param mostBytes of the beginning
     * @throws TierException UNAVAILABLE
     */
    Beginning beginning(String key, int mostBytes) throws TierException {
        return attempts.each(() -> {
            Optional<Beginning> found = client.getObject(request(key, 0, mostBytes - 1L), (response, body) -> {
                Optional<Range> range = range(response, 0, mostBytes - 1L);
                if (range.isEmpty()) {
                    body.abort();
                    return Optional.empty();
                }
                byte[] bytes = body.readNBytes(Math.toIntExact(range.get().to() + 1));
                return bytes.length == range.get().to() + 1
                        ? Optional.of(new Beginning(bytes, range.get().wholeBytes()))
                        : Optional.empty();
            });
            return found.orElseThrow(() -> new TierException(
                    Reason.UNAVAILABLE, "the store does not answer with the beginning of %s".formatted(key)));
        });
    }

    private GetObjectRequest request(String key, long from, long to) {
        return GetObjectRequest.builder()
                .bucket(bucket)
                .key(key)
                .range("bytes=%d-%d".formatted(from, to))
                .build();
    }

    /** What an answer says that it is. */
    private record Range(long to, long wholeBytes) {}

    /** Empty when it is not what was asked for: perhaps an error page, or somebody else's answer; no word of it is believed. */
    private static Optional<Range> range(GetObjectResponse response, long from, long to) {
        Matcher said = CONTENT_RANGE.matcher(String.valueOf(response.contentRange()));
        if (!said.matches()
                || Long.parseLong(said.group(1)) != from
                || Long.parseLong(said.group(2)) > to
                || response.contentLength() == null
                || response.contentLength() != Long.parseLong(said.group(2)) - from + 1) {
            return Optional.empty();
        }
        return Optional.of(new Range(Long.parseLong(said.group(2)), Long.parseLong(said.group(3))));
    }

    private static TierException unbelievable(String key, GetObjectResponse response, long from, long to) {
        return new TierException(
                Reason.UNAVAILABLE,
                "asked for bytes %d to %d of %s, the store answers with %s and %s bytes"
                        .formatted(from, to, key, response.contentRange(), response.contentLength()));
    }
}
