package io.gpusnap.node.tier.pack;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Says that a directory or a bucket's prefix is a store, of which format, and which: nodes that share it find the same id. */
final class StoreMarker {

    private static final int MOST_BYTES = 4096;
    private static final String FORMAT = "gpusnap-shared 1";
    private static final Pattern FORM =
            Pattern.compile("\\{\"format\":\"" + FORMAT + "\",\"storeId\":\"([0-9a-f-]{36})\"\\}\n");

    private StoreMarker() {}

    /**
     * Finds the store's id, or makes the place a store. Of several nodes that do so at once one gives the id.
     *
     * @throws TierException IO when the place is of another format
     */
    static UUID openOrCreate(BlobStore store) throws TierException {
        Optional<UUID> known = find(store);
        if (known.isEmpty()) {
            String fresh = "{\"format\":\"%s\",\"storeId\":\"%s\"}\n".formatted(FORMAT, UUID.randomUUID());
            store.put(
                    BlobKey.marker(),
                    MemorySegment.ofArray(fresh.getBytes(StandardCharsets.US_ASCII)),
                    BlobStore.IfThere.KEEP);
        }
        return known.isPresent() ? known.get() : read(store);
    }

    /**
     * The store's id, where the place is one.
     *
     * @throws TierException IO when the place is of another format
     */
    static Optional<UUID> find(BlobStore store) throws TierException {
        return store.find(BlobKey.marker()).isEmpty() ? Optional.empty() : Optional.of(read(store));
    }

    /**
     * Reads it from the medium.
     *
     * @throws TierException IO, UNAVAILABLE; MISSING where it is not there
     */
    static void readBack(BlobStore store) throws TierException {
        BlobInfo marker = store.find(BlobKey.marker())
                .orElseThrow(
                        () -> new TierException(Reason.MISSING, BlobKey.marker() + " is not in " + store.location()));
        MemorySegment content = MemorySegment.ofArray(new byte[(int) Math.min(marker.sizeBytes(), MOST_BYTES)]);
        store.readBack(BlobKey.marker(), marker.sizeBytes(), 0, content);
    }

    private static UUID read(BlobStore store) throws TierException {
        String text = new String(store.readAll(BlobKey.marker(), MOST_BYTES), StandardCharsets.US_ASCII);
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new TierException(
                    Reason.IO,
                    "%s of %s names a format that this version does not know"
                            .formatted(BlobKey.marker(), store.location()));
        }
        return UUID.fromString(form.group(1));
    }
}
