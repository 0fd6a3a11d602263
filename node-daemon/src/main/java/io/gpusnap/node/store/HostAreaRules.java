package io.gpusnap.node.store;

import static io.gpusnap.node.store.ManifestRules.add;
import static io.gpusnap.node.store.ManifestRules.require;

import io.gpusnap.node.store.Manifest.HostArea;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** What is filled in at addresses must not fall on each other, and not outside of what a process can have. */
final class HostAreaRules {

    /** Of all areas together: a thaw makes a call for each second one. */
    static final int MAX_RUNS = 1_000_000;

    private static final long MAX_PAGES = Long.MAX_VALUE / HostArea.PAGE_BYTES;

    private HostAreaRules() {}

    /**
     * @param withRuns as all schemas but the first ones have them
     * @return the areas' bytes
     */
    static long check(List<HostArea> areas, boolean withRuns) throws ManifestException {
        Map<Integer, NavigableMap<Long, Long>> endsOfTask = new HashMap<>();
        long total = 0;
        long runs = 0;
        for (HostArea area : areas) {
            String where = "host area " + area.address() + " of task " + area.taskId();
            require(area.taskId() > 0, where + " has no task");
            require(ManifestRules.ADDRESS.matcher(area.address()).matches(), where + " has no hex address");
            ManifestRules.checkSum(where, area.sizeBytes(), area.chunks());
            runs += area.runs().size();
            require(runs <= MAX_RUNS, "host areas have more than " + MAX_RUNS + " runs");
            long start = area.start();
            long end = start + (withRuns ? checkRuns(where, area) : checkWithoutRuns(where, area));
            require(start > 0 && end > start, where + " is no range of addresses");
            NavigableMap<Long, Long> ends = endsOfTask.computeIfAbsent(area.taskId(), task -> new TreeMap<>());
            Map.Entry<Long, Long> before = ends.lowerEntry(end);
            require(before == null || before.getValue() <= start, where + " overlaps another");
            ends.put(start, end);
            total = add(where, total, area.sizeBytes());
        }
        return total;
    }

    /** @return bytes from its first page to its last */
    private static long checkRuns(String where, HostArea area) throws ManifestException {
        require(area.runs().size() % 2 == 1, where + " does not end in a run of pages");
        long spanBytes = 0;
        long sizeBytes = 0;
        for (int i = 0; i < area.runs().size(); i++) {
            long pages = area.runs().get(i);
            require(pages > 0 && pages <= MAX_PAGES, where + " has a run of " + pages + " pages");
            long bytes = pages * HostArea.PAGE_BYTES;
            spanBytes = add(where, spanBytes, bytes);
            sizeBytes += i % 2 == 0 ? bytes : 0;
        }
        require(sizeBytes == area.sizeBytes(), where + " has " + area.sizeBytes() + " bytes, its runs " + sizeBytes);
        require(area.start() % HostArea.PAGE_BYTES == 0, where + " does not begin with a page");
        for (ChunkRef chunk : area.chunks()) {
            require(chunk.sizeBytes() % HostArea.PAGE_BYTES == 0, where + " has a chunk that is not of whole pages");
        }
        return spanBytes;
    }

    private static long checkWithoutRuns(String where, HostArea area) throws ManifestException {
        require(area.runs().isEmpty(), where + " has runs, against its schema");
        ManifestRules.checkFixed(where, area.chunks());
        return area.sizeBytes();
    }
}
