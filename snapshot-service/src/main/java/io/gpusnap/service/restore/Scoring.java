package io.gpusnap.service.restore;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Node;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/** The score of a node for a snapshot. Pure. */
final class Scoring {
    private static final double CHUNKS = 0.4;
    private static final double FREE_VRAM = 0.25;
    private static final double QUEUE = 0.25;
    private static final double BANDWIDTH = 0.1;

    /** Of a node that never thawed: neither praised nor blamed. */
    private static final double UNKNOWN = 0.5;

    private Scoring() {}

    /**
     * Scores it.
     *
     * @param rate at which the node filled devices, 0 when unknown
     * @param bestRate of all candidates, 0 when unknown
     */
    static NodeScore of(Offer offer, Node node, SnapshotReach.Reach reach, int waiting, double rate, double bestRate) {
        double chunks = chunks(offer, reach);
        double freeVram = freeVram(offer, node);
        double queue = 1.0 / (1 + waiting);
        double bandwidth = rate > 0 && bestRate > 0 ? rate / bestRate : UNKNOWN;
        double total = CHUNKS * chunks + FREE_VRAM * freeVram + QUEUE * queue + BANDWIDTH * bandwidth;
        return new NodeScore(total, chunks, freeVram, queue, bandwidth);
    }

    /** Whether it fits in now, as the node's last heartbeat had it. */
    static boolean hasRoom(Offer offer, Node node) {
        return freeForIt(offer, node).isPresent();
    }

    private static double chunks(Offer offer, SnapshotReach.Reach reach) {
        double speed = switch (reach.tier()) {
            case MEMORY -> 1.0;
            case NVME -> 0.8;
            case NFS -> 0.4;
            case S3 -> 0.3;
        };
        double present =
                offer.logicalBytes() == 0 ? 1 : 1 - Math.min(1, (double) reach.missingBytes() / offer.logicalBytes());
        return speed * present;
    }

    /** Half for fitting in, the other half for what is left then. */
    private static double freeVram(Offer offer, Node node) {
        long free = freeForIt(offer, node).orElse(0);
        long wanted = offer.gpuBytes().stream().mapToLong(Long::longValue).sum();
        return free == 0 ? 0 : 0.5 + 0.5 * (free - wanted) / free;
    }

    /** What is free on the GPUs that it would take, the emptiest one for its largest part; empty if one has too little. */
    private static OptionalLong freeForIt(Offer offer, Node node) {
        List<Long> wanted =
                offer.gpuBytes().stream().sorted(Comparator.reverseOrder()).toList();
        List<Long> free = node.inventory().gpus().stream()
                .map(Inventory.Gpu::freeBytes)
                .sorted(Comparator.reverseOrder())
                .limit(Math.max(1, wanted.size()))
                .toList();
        boolean fits = wanted.size() <= free.size()
                && IntStream.range(0, wanted.size()).allMatch(gpu -> wanted.get(gpu) <= free.get(gpu));
        return fits ? OptionalLong.of(free.stream().mapToLong(Long::longValue).sum()) : OptionalLong.empty();
    }
}
