package io.gpusnap.node.tier.s3;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompleteMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.MultipartUpload;
import software.amazon.awssdk.services.s3.model.NoSuchUploadException;
import software.amazon.awssdk.services.s3.model.Part;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

/**
 * Puts objects into the bucket, long ones in parts. An upload that an earlier life of the daemon began is gone on with: the parts
 * that the store has with the digest of ours are not sent again. An answer that got lost is no failure: the object that is there
 * then, of our size, is ours, because its name says its content; whoever needs to know more reads it back.
 */
final class Uploads {

    private final S3Client client;
    private final Attempts attempts;
    private final Parallel parallel;
    private final S3Settings settings;
    /** Whether the store knows writes with a condition; found out by the first one. */
    private volatile boolean conditional = true;

    Uploads(S3Client client, Attempts attempts, Parallel parallel, S3Settings settings) {
        this.client = client;
        this.attempts = attempts;
        this.parallel = parallel;
        this.settings = settings;
    }

    /** @return false when there was an object, and it was kept */
    boolean put(String key, MemorySegment content, IfThere ifThere) throws TierException {
        try {
            if (content.byteSize() <= settings.partBytes()) {
                return whole(key, content, ifThere);
            }
            return inParts(key, content, ifThere);
        } catch (SdkException e) {
            if (S3Errors.isThere(e)) {
                return false;
            }
            throw e;
        }
    }

    private boolean whole(String key, MemorySegment content, IfThere ifThere) throws TierException {
        if (ifThere == IfThere.KEEP && conditional) {
            try {
                return whole(key, content, true);
            } catch (SdkException e) {
                requireNotKnown(e);
            }
        }
        return !(ifThere == IfThere.KEEP && head(key).isPresent()) && whole(key, content, false);
    }

    /** From now on a look before the write has to do. */
    private void requireNotKnown(SdkException e) {
        if (!S3Errors.isNotKnown(e)) {
            throw e;
        }
        conditional = false;
    }

    private boolean whole(String key, MemorySegment content, boolean ifAbsent) throws TierException {
        PutObjectRequest.Builder request =
                PutObjectRequest.builder().bucket(settings.bucket()).key(key);
        switch (settings.encryption()) {
            case S3Settings.Encryption.None n -> {}
            case S3Settings.Encryption.StoreKey s -> request.serverSideEncryption("AES256");
            case S3Settings.Encryption.KmsKey kms ->
                request.serverSideEncryption("aws:kms").ssekmsKeyId(kms.keyId());
        }
        if (ifAbsent) {
            request.ifNoneMatch("*");
        }
        attempts.each(() -> client.putObject(request.build(), SegmentBody.of(content)));
        return true;
    }

    private boolean inParts(String key, MemorySegment content, IfThere ifThere) throws TierException {
        if (ifThere == IfThere.KEEP && head(key).isPresent()) {
            return false; // sooner said than after all parts
        }
        Optional<String> begun = begun(key);
        try {
            return upload(key, content, ifThere, begun.isPresent() ? begun.get() : begin(key));
        } catch (NoSuchUploadException e) {
            // Somebody who uploaded the same has completed or aborted it.
            return upload(key, content, ifThere, begin(key));
        }
    }

    private boolean upload(String key, MemorySegment content, IfThere ifThere, String uploadId) throws TierException {
        try {
            List<CompletedPart> parts = parts(key, content, uploadId);
            complete(key, content.byteSize(), ifThere, uploadId, parts);
            return true;
        } catch (SdkException | TierException e) {
            // What passes by itself is tried again some day, and finds its parts.
            if (!(e instanceof SdkException sdk && S3Errors.passes(sdk)) && !(e instanceof TierException)) {
                abort(key, uploadId, e);
            }
            throw e;
        }
    }

    private List<CompletedPart> parts(String key, MemorySegment content, String uploadId) throws TierException {
        Map<Integer, Part> there = there(key, uploadId);
        int count = Math.toIntExact(Math.ceilDiv(content.byteSize(), settings.partBytes()));
        List<Integer> numbers = new ArrayList<>();
        for (int number = 1; number <= count; number++) {
            numbers.add(number);
        }
        return parallel.map(numbers, number -> {
            long offset = (number - 1L) * settings.partBytes();
            MemorySegment bytes = content.asSlice(offset, Math.min(settings.partBytes(), content.byteSize() - offset));
            Part known = there.get(number);
            String tag = known != null && isSame(known, bytes) ? known.eTag() : send(key, uploadId, number, bytes);
            return CompletedPart.builder().partNumber(number).eTag(tag).build();
        });
    }

    private String send(String key, String uploadId, int number, MemorySegment bytes) throws TierException {
        return attempts.each(() -> client.uploadPart(
                        request -> request.bucket(settings.bucket())
                                .key(key)
                                .uploadId(uploadId)
                                .partNumber(number),
                        SegmentBody.of(bytes))
                .eTag());
    }

    /** Where the store encrypts with other keys than its own the tag is no digest, and parts are sent again. */
    private static boolean isSame(Part part, MemorySegment bytes) {
        return part.size() == bytes.byteSize() && part.eTag().replace("\"", "").equals(md5(bytes));
    }

    private static String md5(MemorySegment bytes) {
        try {
            MessageDigest md5 = MessageDigest.getInstance("MD5");
            md5.update(bytes.asByteBuffer());
            return HexFormat.of().formatHex(md5.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has MD5", e);
        }
    }

    private void complete(String key, long sizeBytes, IfThere ifThere, String uploadId, List<CompletedPart> parts)
            throws TierException {
        if (ifThere == IfThere.KEEP && conditional) {
            try {
                complete(key, sizeBytes, true, uploadId, parts);
                return;
            } catch (SdkException e) {
                requireNotKnown(e);
            }
        }
        complete(key, sizeBytes, false, uploadId, parts);
    }

    private void complete(String key, long sizeBytes, boolean ifAbsent, String uploadId, List<CompletedPart> parts)
            throws TierException {
        CompleteMultipartUploadRequest.Builder request = CompleteMultipartUploadRequest.builder()
                .bucket(settings.bucket())
                .key(key)
                .uploadId(uploadId)
                .multipartUpload(upload -> upload.parts(parts));
        if (ifAbsent) {
            request.ifNoneMatch("*");
        }
        boolean[] unsure = {false};
        attempts.each(() -> {
            try {
                client.completeMultipartUpload(request.build());
            } catch (SdkException e) {
                // An earlier answer may have got lost, and its request not: then the upload is gone, or the object
                // there.
                boolean over = e instanceof NoSuchUploadException || S3Errors.isThere(e);
                if (!(unsure[0] && over && isComplete(key, sizeBytes))) {
                    unsure[0] |= S3Errors.passes(e);
                    throw e;
                }
            }
            return true;
        });
    }

    private boolean isComplete(String key, long sizeBytes) throws TierException {
        return head(key).filter(found -> found.contentLength() == sizeBytes).isPresent();
    }

    Optional<HeadObjectResponse> head(String key) throws TierException {
        try {
            return Optional.of(attempts.each(() -> client.headObject(
                    request -> request.bucket(settings.bucket()).key(key))));
        } catch (SdkException e) {
            if (S3Errors.isNotFound(e)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private Optional<String> begun(String key) throws TierException {
        return all(key).stream()
                .filter(upload -> upload.key().equals(key))
                .max(Comparator.comparing(MultipartUpload::initiated))
                .map(MultipartUpload::uploadId);
    }

    /** Unfinished uploads of keys that begin like this. */
    List<MultipartUpload> all(String prefix) throws TierException {
        return attempts.each(() ->
                client
                        .listMultipartUploadsPaginator(
                                request -> request.bucket(settings.bucket()).prefix(prefix))
                        .uploads()
                        .stream()
                        .toList());
    }

    private Map<Integer, Part> there(String key, String uploadId) throws TierException {
        Map<Integer, Part> parts = new HashMap<>();
        attempts.each(() -> client
                        .listPartsPaginator(request ->
                                request.bucket(settings.bucket()).key(key).uploadId(uploadId))
                        .parts()
                        .stream()
                        .toList())
                .forEach(part -> parts.put(part.partNumber(), part));
        return parts;
    }

    private String begin(String key) throws TierException {
        CreateMultipartUploadRequest.Builder request =
                CreateMultipartUploadRequest.builder().bucket(settings.bucket()).key(key);
        switch (settings.encryption()) {
            case S3Settings.Encryption.None n -> {}
            case S3Settings.Encryption.StoreKey s -> request.serverSideEncryption("AES256");
            case S3Settings.Encryption.KmsKey kms ->
                request.serverSideEncryption("aws:kms").ssekmsKeyId(kms.keyId());
        }
        return attempts.each(() -> client.createMultipartUpload(request.build()).uploadId());
    }

    void abort(String key, String uploadId, Exception cause) {
        try {
            client.abortMultipartUpload(
                    request -> request.bucket(settings.bucket()).key(key).uploadId(uploadId));
        } catch (SdkException e) {
            cause.addSuppressed(e); // what is left is found by its age
        }
    }
}
