package io.gpusnap.node.tier;

import io.gpusnap.node.file.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** Files that were not the chunks that their names said, kept for whoever looks into the medium, and not for ever. */
public final class Quarantine {

    /** Of what is put there: to rename a file changes this, and not when it was written. */
    private static final String SINCE = "unix:ctime,size,isRegularFile";

    /**
     * @param age none is kept longer
     * @param bytes all together, which may be more until the next look
     */
    public record Limits(Duration age, long bytes) {

        /** Time for a person to look, and little enough of a drive of terabytes. */
        public static final Limits DEFAULT = new Limits(Duration.ofDays(7), 10L << 30);

        public Limits {
            if (age.isNegative() || bytes < 0) {
                throw new IllegalArgumentException(
                        "nvme.quarantineDays and nvme.quarantineBytes must not be negative, are %s and %d"
                                .formatted(age, bytes));
            }
        }
    }

    /**
     * What was found and done in this daemon's life.
     *
     * @param keptBytes after the last look
     * @param freedBytes of all that were deleted
     * @param failedLooks that did not come to their end
     */
    public record Counts(long keptBytes, long freedBytes, long failedLooks) {}

    private record Kept(Path file, FileTime since, long bytes) {}

    private final StoreRoot root;
    private volatile Counts counts = new Counts(0, 0, 0);

    Quarantine(StoreRoot root) {
        this.root = root;
    }

    /**
     * Deletes what is kept for too long, and then the oldest until the rest is within the limit.
     *
     * @param goesOn asked before each deletion; false ends the look where it is
     * @return bytes that became free
     */
    public synchronized long look(Limits limits, Instant now, BooleanSupplier goesOn) throws TierException {
        boolean ended = false;
        try {
            long freed = free(limits, now, goesOn);
            ended = true;
            return freed;
        } finally {
            counts = new Counts(counts.keptBytes(), counts.freedBytes(), counts.failedLooks() + (ended ? 0 : 1));
        }
    }

    private long free(Limits limits, Instant now, BooleanSupplier goesOn) throws TierException {
        List<Kept> oldestFirst = list();
        long left = oldestFirst.stream().mapToLong(Kept::bytes).sum();
        FileTime last = FileTime.from(now.minus(limits.age()));
        long freed = 0;
        for (Kept kept : oldestFirst) {
            boolean goes = kept.since().compareTo(last) < 0 || left > limits.bytes();
            if (!goes || !goesOn.getAsBoolean()) {
                break;
            }
            root.files().delete(kept.file());
            left -= kept.bytes();
            freed += kept.bytes();
            counts = new Counts(left, counts.freedBytes() + kept.bytes(), counts.failedLooks());
        }
        counts = new Counts(left, counts.freedBytes(), counts.failedLooks());
        return freed;
    }

    public Counts counts() {
        return counts;
    }

    private List<Kept> list() throws TierException {
        List<Kept> found = new ArrayList<>();
        try {
            for (Path file : Folders.list(root.quarantine())) {
                Map<String, Object> about = Files.readAttributes(file, SINCE, LinkOption.NOFOLLOW_LINKS);
                if (about.get("isRegularFile") instanceof Boolean regular
                        && regular
                        && about.get("ctime") instanceof FileTime since
                        && about.get("size") instanceof Long bytes) {
                    found.add(new Kept(file, since, bytes));
                }
            }
        } catch (IOException e) {
            throw DiskErrors.typed("list", root.quarantine(), e);
        }
        found.sort(Comparator.comparing(Kept::since));
        return found;
    }
}
