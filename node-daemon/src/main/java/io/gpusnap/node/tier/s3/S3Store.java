package io.gpusnap.node.tier.s3;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierKind;
import io.gpusnap.node.tier.TierUsage;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.blob.Hanging;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.MultipartUpload;
import software.amazon.awssdk.services.s3.model.S3Object;

/** Objects of a bucket, below a prefix. */
public final class S3Store implements BlobStore {

    private final S3Settings settings;
    private final S3Client client;
    private final Attempts attempts;
    private final Parallel parallel;
    private final Uploads uploads;
    private final RangeReader reader;
    private final OrderedListing ordered;
    private final Hanging hanging;
    private volatile Optional<String> trouble = Optional.empty();

    public S3Store(S3Settings settings) {
        this(settings, Clients.of(settings));
    }

    S3Store(S3Settings settings, S3Client client) {
        this(settings, client, Attempts.Waits.REAL);
    }

    S3Store(S3Settings settings, S3Client client, Attempts.Waits waits) {
        this.settings = settings;
        this.client = client;
        // Whoever looks whether it answers again waits for one request, and so do the others.
        this.hanging = new Hanging(location(), settings.deadline());
        this.attempts = new Attempts(settings.attempts(), () -> hanging.reason().isPresent(), waits);
        this.parallel = new Parallel(settings.connections());
        this.uploads = new Uploads(client, attempts, parallel, settings);
        this.reader = new RangeReader(client, attempts, settings.bucket());
        this.ordered = new OrderedListing(client, attempts, settings);
    }

    @Override
    public TierKind kind() {
        return TierKind.S3;
    }

    @Override
    public String location() {
        String at = settings.endpoint().map(uri -> uri + "/").orElse("s3://");
        return at + settings.bucket() + "/" + settings.prefix();
    }

    private String name(BlobKey key) {
        return settings.prefix() + key.path();
    }

    @Override
    public boolean put(BlobKey key, MemorySegment content, IfThere ifThere) throws TierException {
        // What is long in being sent says nothing of the store.
        return answered("write " + key, () -> uploads.put(name(key), content, ifThere), silent -> false);
    }

    @Override
    public Optional<BlobInfo> find(BlobKey key) throws TierException {
        return answered(
                "look up " + key,
                () -> uploads.head(name(key))
                        .map(found -> new BlobInfo(key, found.contentLength(), found.lastModified())));
    }

    @Override
    public void read(BlobKey key, long wholeBytes, long offset, MemorySegment target) throws TierException {
        ranges("read", key, wholeBytes, target, (start, part) -> {
            reader.read(name(key), wholeBytes, offset + start, part);
            return true;
        });
    }

    /** With one request, where it is not longer than most small objects are. */
    @Override
    public byte[] readAll(BlobKey key, int mostBytes) throws TierException {
        RangeReader.Beginning beginning;
        try {
            beginning = answered(
                    "read " + key, () -> reader.beginning(name(key), Math.min(mostBytes, RangeReader.LEAST_BYTES)));
        } catch (TierException e) {
            if (e.getCause() instanceof SdkException sdk && S3Errors.isOutOfRange(sdk)) {
                return new byte[0]; // there is not even a first byte
            }
            throw e.getCause() instanceof SdkException sdk && S3Errors.isNotFound(sdk) ? missing(key) : e;
        }
        if (beginning.wholeBytes() > mostBytes) {
            throw tooLong(key, beginning.wholeBytes(), mostBytes);
        }
        byte[] bytes = Arrays.copyOf(beginning.bytes(), (int) beginning.wholeBytes());
        int come = beginning.bytes().length;
        if (come < bytes.length) {
            read(key, bytes.length, come, MemorySegment.ofArray(bytes).asSlice(come));
        }
        return bytes;
    }

    /** Nothing of it is kept: what comes is compared as it comes, by as many requests at once as a read has. */
    @Override
    public boolean holds(BlobKey key, MemorySegment content) throws TierException {
        long wholeBytes = content.byteSize();
        try {
            return !ranges(
                            "read back",
                            key,
                            wholeBytes,
                            content,
                            (start, part) -> reader.matches(name(key), wholeBytes, start, part))
                    .contains(false);
        } catch (TierException e) {
            if (e.reason() == TierException.Reason.CORRUPT || e.reason() == TierException.Reason.MISSING) {
                return false;
            }
            throw e;
        }
    }

    private interface Range {
        boolean of(long start, MemorySegment part) throws TierException;
    }

    private List<Boolean> ranges(String doing, BlobKey key, long wholeBytes, MemorySegment memory, Range range)
            throws TierException {
        List<Long> starts = new ArrayList<>();
        for (long start = 0; start < memory.byteSize(); start += settings.partBytes()) {
            starts.add(start);
        }
        try {
            return answered(
                    doing + " " + key,
                    () -> parallel.map(starts, start -> {
                        long length = Math.min(settings.partBytes(), memory.byteSize() - start);
                        return range.of(start, memory.asSlice(start, length));
                    }));
        } catch (TierException e) {
            if (e.getCause() instanceof SdkException sdk) {
                throw judged(key, wholeBytes, sdk, e);
            }
            throw e;
        }
    }

    /** What an answer to a range means that is neither the range nor trouble. */
    private TierException judged(BlobKey key, long wholeBytes, SdkException sdk, TierException otherwise)
            throws TierException {
        if (S3Errors.isNotFound(sdk)) {
            return missing(key);
        }
        if (!S3Errors.isOutOfRange(sdk)) {
            return otherwise;
        }
        long found = find(key).map(BlobInfo::sizeBytes).orElse(0L);
        return new TierException(
                TierException.Reason.CORRUPT, "%s has %d bytes, not %d".formatted(key, found, wholeBytes), sdk);
    }

    @Override
    public List<BlobInfo> list(BlobKey.Folder folder, String nameStart) throws TierException {
        // Packs lie in folders of their own: there a name's beginning is no prefix.
        String prefix = settings.prefix() + folder.prefix() + (folder == BlobKey.Folder.PACKS ? "" : nameStart);
        List<S3Object> objects =
                answered(
                        "list " + folder.prefix(),
                        () -> attempts.each(() -> client
                                .listObjectsV2Paginator(request ->
                                        request.bucket(settings.bucket()).prefix(prefix))
                                .contents()
                                .stream()
                                .toList()));
        List<BlobInfo> found = new ArrayList<>();
        for (S3Object object : objects) {
            BlobKey.ofListed(object.key().substring(settings.prefix().length()))
                    .filter(key -> key.name().startsWith(nameStart))
                    .ifPresent(key -> found.add(new BlobInfo(key, object.size(), object.lastModified())));
        }
        return found;
    }

    @Override
    public List<BlobInfo> listAfter(BlobKey.Folder folder, String after, int most) throws TierException {
        Optional<List<BlobInfo>> found = answered("list " + folder.prefix(), () -> ordered.after(folder, after, most));
        return found.isPresent() ? found.get() : BlobStore.super.listAfter(folder, after, most);
    }

    @Override
    public boolean delete(BlobKey key) throws TierException {
        return answered("delete " + key, () -> {
            boolean there = uploads.head(name(key)).isPresent();
            attempts.each(() -> client.deleteObject(
                    request -> request.bucket(settings.bucket()).key(name(key))));
            return there;
        });
    }

    @Override
    public int removeUnfinished(Duration olderThan) throws TierException {
        return answered("list unfinished uploads", () -> {
            int removed = 0;
            List<MultipartUpload> all = uploads.all(settings.prefix() + BlobKey.Folder.PACKS.prefix());
            Instant before = all.isEmpty() ? Instant.EPOCH : now().minus(olderThan);
            for (MultipartUpload upload : all) {
                if (!upload.initiated().isAfter(before)) {
                    attempts.each(() -> client.abortMultipartUpload(request ->
                            request.bucket(settings.bucket()).key(upload.key()).uploadId(upload.uploadId())));
                    removed++;
                }
            }
            return removed;
        });
    }

    /** By the store's clock: when it says that an object was made that was made now. */
    private Instant now() throws TierException {
        BlobKey probe = BlobKey.probe();
        uploads.put(name(probe), MemorySegment.ofArray(new byte[] {1}), IfThere.REPLACE);
        Instant now =
                uploads.head(name(probe)).orElseThrow(() -> missing(probe)).lastModified();
        client.deleteObject(request -> request.bucket(settings.bucket()).key(name(probe)));
        return now;
    }

    /** Nothing is asked: a bucket has no size that it would tell. */
    @Override
    public TierUsage usage() {
        return new TierUsage(kind(), location(), TierUsage.UNBOUNDED_BYTES, TierUsage.UNBOUNDED_BYTES, 0);
    }

    @Override
    public Optional<String> trouble() {
        return trouble;
    }

    private <T> T answered(String doing, Attempts.Request<T> request) throws TierException {
        return answered(doing, request, S3Errors::isSilence);
    }

    /** @param hangs whether a failure tells that the store hangs */
    private <T> T answered(String doing, Attempts.Request<T> request, Predicate<SdkException> hangs)
            throws TierException {
        hanging.admit();
        try {
            T answer = Abortable.call(request);
            hanging.answered();
            trouble = Optional.empty();
            return answer;
        } catch (SdkException e) {
            throw Thread.currentThread().isInterrupted() ? unwanted(doing, e) : judged(doing, e, hangs);
        } catch (TierException e) {
            if (Thread.currentThread().isInterrupted()) {
                throw unwanted(doing, e);
            }
            if (e.reason() == TierException.Reason.UNAVAILABLE) {
                trouble = Optional.of(String.valueOf(e.getMessage()));
            }
            throw e;
        }
    }

    /** Whoever waited for it was interrupted: that says nothing of the store. */
    private TierException unwanted(String doing, Exception failure) {
        return new TierException(
                TierException.Reason.UNAVAILABLE,
                "interrupted, could not %s in %s".formatted(doing, location()),
                failure);
    }

    /** What the failure says of the store is kept. */
    private TierException judged(String doing, SdkException e, Predicate<SdkException> hangs) {
        TierException typed = S3Errors.typed(doing + " in " + location(), e);
        if (hangs.test(e)) {
            hanging.found(String.valueOf(typed.getMessage()));
        } else if (e instanceof SdkServiceException) {
            hanging.answered();
        }
        if (!S3Errors.isAboutTheObject(e)) {
            trouble = Optional.of(String.valueOf(typed.getMessage()));
        }
        return typed;
    }

    @Override
    public void close() {
        client.close();
    }
}
