package io.gpusnap.node.tier.s3;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Lists a bucket from a name on, no further than asked. S3 lists keys in the order of their UTF-8 bytes, which for our names is
 * that of their letters.
 */
final class OrderedListing {

    private static final int MOST_KEYS = 1000;

    private final S3Client client;
    private final Attempts attempts;
    private final S3Settings settings;

    OrderedListing(S3Client client, Attempts attempts, S3Settings settings) {
        this.client = client;
        this.attempts = attempts;
        this.settings = settings;
    }

    /**
     * As {@link io.gpusnap.node.tier.blob.BlobStore#listAfter}.
     *
     * @return empty where the store lists in another order: then nothing tells what comes after a name
     */
    Optional<List<BlobInfo>> after(BlobKey.Folder folder, String after, int most) throws TierException {
        List<BlobInfo> found = new ArrayList<>();
        String last = after;
        boolean more = true;
        while (more && found.size() < most) {
            ListObjectsV2Request request = request(folder, last, most - found.size());
            ListObjectsV2Response page = attempts.each(() -> client.listObjectsV2(request));
            for (S3Object object : page.contents()) {
                String path = object.key().substring(settings.prefix().length());
                if (path.compareTo(last) <= 0) {
                    return Optional.empty();
                }
                last = path;
                BlobKey.ofListed(path)
                        .ifPresent(key -> found.add(new BlobInfo(key, object.size(), object.lastModified())));
            }
            more = Boolean.TRUE.equals(page.isTruncated());
            if (more && page.contents().isEmpty()) {
                throw new TierException(
                        Reason.IO, "the store lists nothing after %s and says that there is more".formatted(last));
            }
        }
        return Optional.of(found);
    }

    private ListObjectsV2Request request(BlobKey.Folder folder, String after, int most) {
        ListObjectsV2Request.Builder request = ListObjectsV2Request.builder()
                .bucket(settings.bucket())
                .prefix(settings.prefix() + folder.prefix())
                .maxKeys(Math.min(MOST_KEYS, most));
        if (after.compareTo(folder.prefix()) > 0) {
            request.startAfter(settings.prefix() + after);
        }
        return request.build();
    }
}
