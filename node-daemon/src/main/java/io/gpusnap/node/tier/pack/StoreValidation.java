package io.gpusnap.node.tier.pack;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Tries out on a store what packs count on: what the conformance suite holds in tests, for an operator before he trusts a mount or
 * a bucket. Leaves nothing behind but the store's marker.
 */
public final class StoreValidation {

    /** @param detail what was found; of one that failed, why */
    public record Check(String name, boolean passed, String detail) {}

    private static final int LONG_BYTES = (20 << 20) + 17;
    private static final String WHOLE = "who looks while it is written finds all of it or nothing";
    private static final int OFFSET = 12_345;
    private static final int RANGE_BYTES = 1000;

    private interface Trial {
        String run() throws TierException;
    }

    private final BlobStore store;
    private final BlobKey small = BlobKey.probe();
    private final BlobKey large = BlobKey.probe();
    private final byte[] content = new byte[LONG_BYTES];
    private final List<Check> checks = new ArrayList<>();

    public StoreValidation(BlobStore store) {
        this.store = store;
        new Random().nextBytes(content);
    }

    public List<Check> run() {
        byte[] first = Arrays.copyOf(content, RANGE_BYTES);
        byte[] second = Arrays.copyOfRange(content, RANGE_BYTES, 3 * RANGE_BYTES);
        trial("identity", () -> "store " + StoreMarker.openOrCreate(store));
        trial("write", () -> "new: " + put(small, first, IfThere.KEEP));
        trial("read-after-write", () -> expect(store.holds(small, segment(first)), "what was written is read back"));
        trial(
                "first-writer-wins",
                () -> expect(
                        !put(small, second, IfThere.KEEP) && store.holds(small, segment(first)),
                        "a second writer of the same name changes nothing"));
        trial("replace", () -> {
            put(small, second, IfThere.REPLACE);
            return expect(store.holds(small, segment(second)), "a whole new object is there");
        });
        trial("size-first", () -> expect(!store.holds(small, segment(first)), "another size is told, not read"));
        trial("atomic-publish", this::putWatched);
        trial(
                "large-object",
                () -> expect(store.holds(large, segment(content)), LONG_BYTES + " bytes, in parts where it has parts"));
        trial("range-read", () -> {
            byte[] range = new byte[RANGE_BYTES];
            store.read(large, LONG_BYTES, OFFSET, segment(range));
            return expect(
                    Arrays.equals(range, Arrays.copyOfRange(content, OFFSET, OFFSET + RANGE_BYTES)),
                    "exactly what was asked for");
        });
        trial(
                "list",
                () -> expect(
                        store.list(BlobKey.Folder.PROBES, small.name()).size() == 1, "what was written is listed"));
        trial("delete", () -> {
            store.delete(small);
            store.delete(large);
            return expect(store.find(small).isEmpty() && store.find(large).isEmpty(), "what was deleted is gone");
        });
        return List.copyOf(checks);
    }

    /** A large object, which somebody else looks for all the while. */
    private String putWatched() throws TierException {
        AtomicBoolean written = new AtomicBoolean();
        FutureTask<Integer> looks = new FutureTask<>(() -> {
            for (int count = 1; true; count++) {
                boolean last = written.get();
                Optional<BlobInfo> found = store.find(large);
                expect(found.map(BlobInfo::sizeBytes).orElse((long) LONG_BYTES) == LONG_BYTES, WHOLE);
                if (last) {
                    return count;
                }
            }
        });
        Thread.ofVirtual().start(looks);
        try {
            put(large, content, IfThere.KEEP);
        } finally {
            written.set(true);
        }
        try {
            return WHOLE + ", in " + looks.get() + " looks at it";
        } catch (ExecutionException e) {
            throw new IllegalStateException(String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private boolean put(BlobKey key, byte[] bytes, IfThere ifThere) throws TierException {
        return store.put(key, segment(bytes), ifThere);
    }

    private static MemorySegment segment(byte[] bytes) {
        return MemorySegment.ofArray(bytes);
    }

    private static String expect(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException("not so: " + what);
        }
        return what;
    }

    /** Nothing is tried after the first failure: it would say nothing of its own. */
    private void trial(String name, Trial trial) {
        if (checks.stream().anyMatch(check -> !check.passed())) {
            return;
        }
        try {
            checks.add(new Check(name, true, trial.run()));
        } catch (TierException | IllegalStateException e) {
            checks.add(new Check(name, false, String.valueOf(e.getMessage())));
        }
    }
}
