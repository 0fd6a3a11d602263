package io.gpusnap.node.tier.pack;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierUsage;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/**
 * Tries out on a store what packs count on: what the conformance suite holds in tests, for an operator before he trusts a mount or
 * a bucket. It works under names of its own beside those of snapshots, and leaves nothing behind, also when something fails.
 */
public final class StoreValidation {

    /**
     * What came of one trial.
     *
     * @param detail what was found; of one that failed, why
     * @param mend what a person can do about it; "" for one that passed
     * @param figures what was measured, by name, unit last
     */
    public record Check(String name, boolean passed, String detail, String mend, Map<String, Double> figures) {

        public Check {
            figures = Map.copyOf(figures);
        }

        public static Check passed(String name, String detail) {
            return new Check(name, true, detail, "", Map.of());
        }

        public static Check failed(String name, String detail, String mend) {
            return new Check(name, false, detail, mend, Map.of());
        }
    }

    private static final int LONG_BYTES = (20 << 20) + 17;
    private static final String WHOLE = "who looks while it is written finds all of it or nothing";
    private static final int OFFSET = 12_345;
    private static final int RANGE_BYTES = 1000;
    private static final int SMALL_ONES = 16;
    /** Two packs of the usual size: less is no room for a copy. */
    private static final long LEAST_FREE_BYTES = 128L << 20;
    /** Signed requests bear a quarter of an hour; who trusts logs of both sides bears less. */
    private static final Duration MOST_SKEW = Duration.ofMinutes(1);

    private interface Trial {
        String run() throws TierException;
    }

    private final BlobStore store;
    private final BlobKey small = BlobKey.probe();
    private final BlobKey large = BlobKey.probe();
    private final List<BlobKey> many =
            Stream.generate(BlobKey::probe).limit(SMALL_ONES).toList();
    private final byte[] content = new byte[LONG_BYTES];
    private final byte[] first;
    private final byte[] second;
    private final List<Check> checks = new ArrayList<>();
    private final Map<String, Double> figures = new LinkedHashMap<>();

    public StoreValidation(BlobStore store) {
        this.store = store;
        new Random().nextBytes(content);
        this.first = Arrays.copyOf(content, RANGE_BYTES);
        this.second = Arrays.copyOfRange(content, RANGE_BYTES, 3 * RANGE_BYTES);
    }

    public List<Check> run() {
        try {
            smallOnes();
            largeOnes();
            measure();
            around();
        } finally {
            cleanUp();
        }
        return List.copyOf(checks);
    }

    private void smallOnes() {
        trial(
                "identity",
                "mount what is meant, or mend endpoint, bucket and credentials; the place must be empty or a store",
                () -> {
                    store.usage(); // which asks the medium itself, where it can be asked
                    return StoreMarker.find(store)
                            .map(id -> "store " + id)
                            .orElse("no store yet: who uses it first makes it one");
                });
        trial(
                "write",
                "let this node create objects there: rights of the directory, or of the credentials in the bucket",
                () -> "new: " + put(small, first, IfThere.KEEP));
        trial(
                "read-after-write",
                "no cache or gateway may answer in its place: mount without nocto, name the store itself as endpoint",
                () -> expect(store.holds(small, segment(first)), "what was written is read back"));
        trial(
                "first-writer-wins",
                "take a store with conditional writes (If-None-Match: *), or a share with hard links",
                () -> expect(
                        !put(small, second, IfThere.KEEP) && store.holds(small, segment(first)),
                        "a second writer of the same name changes nothing"));
        trial("replace", "let this node overwrite what it wrote: no object lock, no retention there", () -> {
            put(small, second, IfThere.REPLACE);
            return expect(store.holds(small, segment(second)), "a whole new object is there");
        });
        trial(
                "size-first",
                "the medium must tell sizes as they are: no gateway that pads or compresses",
                () -> expect(!store.holds(small, segment(first)), "another size is told, not read"));
    }

    private void largeOnes() {
        trial(
                "atomic-publish",
                "take a share where a rename is atomic, or a store that shows an object once it is whole",
                this::putWatched);
        trial(
                "large-object",
                "let multipart uploads through: rights to them, and no limit of a proxy on bodies",
                () -> expect(store.holds(large, segment(content)), LONG_BYTES + " bytes, in parts where it has parts"));
        trial("range-read", "let Range headers through: no proxy that answers with the whole", () -> {
            byte[] range = new byte[RANGE_BYTES];
            store.read(large, LONG_BYTES, OFFSET, segment(range));
            return expect(
                    Arrays.equals(range, Arrays.copyOfRange(content, OFFSET, OFFSET + RANGE_BYTES)),
                    "exactly what was asked for");
        });
        trial(
                "list",
                "let this node list: rights to it, and no gateway with a late index",
                () -> expect(
                        store.list(BlobKey.Folder.PROBES, small.name()).size() == 1, "what was written is listed"));
    }

    private void measure() {
        trial("latency", "look at the way to the store: it fails when many small requests are made", () -> {
            List<Long> writes = new ArrayList<>();
            List<Long> reads = new ArrayList<>();
            for (BlobKey key : many) {
                writes.add(nanos(() -> expectNew(key)));
                reads.add(nanos(() -> store.read(key, first.length, 0, segment(new byte[first.length]))));
            }
            return "%d objects of %d bytes, half of them within: write %s, read %s"
                    .formatted(
                            SMALL_ONES,
                            first.length,
                            millis("writeMedianSeconds", writes),
                            millis("readMedianSeconds", reads));
        });
        trial("throughput", "look at the way to the store: it fails when much is moved", () -> {
            long write = nanos(() -> put(large, content, IfThere.REPLACE));
            long read = nanos(() -> store.read(large, LONG_BYTES, 0, segment(new byte[LONG_BYTES])));
            return "%d bytes by one caller: write %s, read %s"
                    .formatted(LONG_BYTES, rate("writeBytesPerSecond", write), rate("readBytesPerSecond", read));
        });
    }

    private void around() {
        trial("clock", "set the clocks of this node and of the store by NTP", this::compareClocks);
        trial("free-space", "make room there, or raise the quota: a copy takes packs of 64 MiB", () -> {
            TierUsage usage = store.usage();
            if (usage.capacityBytes() >= TierUsage.UNBOUNDED_BYTES) {
                return "the store names no bound";
            }
            figures.put("freeBytes", (double) usage.freeBytes());
            return expect(
                    usage.freeBytes() >= LEAST_FREE_BYTES,
                    "%d MiB free of %d, at least %d are there"
                            .formatted(usage.freeBytes() >> 20, usage.capacityBytes() >> 20, LEAST_FREE_BYTES >> 20));
        });
        trial("delete", "let this node delete what it wrote: rights to it, no object lock, no retention there", () -> {
            for (BlobKey key : probes()) {
                store.delete(key);
            }
            return expect(nothingIsLeft(), "what was deleted is gone");
        });
    }

    /** What an object's time is compared with nowhere else: here it is the clock itself that is looked at. */
    private String compareClocks() throws TierException {
        Instant before = Instant.now();
        put(small, second, IfThere.REPLACE);
        Instant after = Instant.now();
        Instant written = store.find(small)
                .map(BlobInfo::modifiedAt)
                .orElseThrow(() -> new IllegalStateException("not so: what was written is found"));
        double seconds = 0; // somewhere within the call
        if (written.isBefore(before)) {
            seconds = -seconds(written, before);
        } else if (written.isAfter(after)) {
            seconds = seconds(after, written);
        }
        figures.put("skewSeconds", seconds);
        return expect(
                Math.abs(seconds) <= MOST_SKEW.toSeconds(),
                String.format(
                        Locale.ROOT,
                        "the store's clock is %.1f s from this node's, at most %d are borne",
                        seconds,
                        MOST_SKEW.toSeconds()));
    }

    private static double seconds(Instant from, Instant to) {
        return Duration.between(from, to).toMillis() / 1000.0;
    }

    private List<BlobKey> probes() {
        return Stream.concat(Stream.of(small, large), many.stream()).toList();
    }

    private boolean nothingIsLeft() throws TierException {
        for (BlobKey key : probes()) {
            if (store.find(key).isPresent()) {
                return false;
            }
        }
        return true;
    }

    /** After a failure too; a store that cannot even do this is told of. */
    private void cleanUp() {
        if (checks.stream().allMatch(Check::passed)) {
            return;
        }
        List<String> left = new ArrayList<>();
        for (BlobKey key : probes()) {
            try {
                store.delete(key);
                store.find(key).ifPresent(found -> left.add(key.path()));
            } catch (TierException e) {
                left.add(key.path());
            }
        }
        if (!left.isEmpty() && checks.stream().anyMatch(check -> check.name().equals("write") && check.passed())) {
            checks.add(Check.failed(
                    "clean-up",
                    "left there, perhaps: " + String.join(", ", left),
                    "delete what begins with probe/ there"));
        }
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

    private void expectNew(BlobKey key) throws TierException {
        expect(put(key, first, IfThere.KEEP), "a new object is taken");
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

    private interface Call {
        void run() throws TierException;
    }

    private static long nanos(Call call) throws TierException {
        long start = System.nanoTime();
        call.run();
        return Math.max(1, System.nanoTime() - start);
    }

    private String millis(String figure, List<Long> nanos) {
        double seconds = nanos.stream().sorted().toList().get(nanos.size() / 2) / 1e9;
        figures.put(figure, seconds);
        return String.format(Locale.ROOT, "%.1f ms", seconds * 1000);
    }

    private String rate(String figure, long nanos) {
        double bytesPerSecond = LONG_BYTES / (nanos / 1e9);
        figures.put(figure, bytesPerSecond);
        return String.format(Locale.ROOT, "%.1f MiB/s", bytesPerSecond / (1 << 20));
    }

    /** Nothing is tried after the first failure: it would say nothing of its own. */
    private void trial(String name, String mend, Trial trial) {
        if (checks.stream().anyMatch(check -> !check.passed())) {
            return;
        }
        figures.clear();
        try {
            String found = trial.run();
            checks.add(new Check(name, true, found, "", figures));
        } catch (TierException | IllegalStateException e) {
            checks.add(new Check(name, false, String.valueOf(e.getMessage()), mend, figures));
        }
    }
}
