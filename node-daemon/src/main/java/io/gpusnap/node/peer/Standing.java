package io.gpusnap.node.peer;

import io.gpusnap.node.peer.PeerCounts.Failure;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/** Which peers are still asked in one operation. One that lies or is gone is asked no more; one that is slow gets another chance. */
final class Standing {

    private static final int MOST_TIMEOUTS = 2;
    private static final long REST_NANOS = 1_000_000_000L;

    private final LongSupplier nanoTime;
    private final Set<String> out = new HashSet<>();
    private final Map<String, Integer> timeouts = new HashMap<>();
    private final Map<String, Long> restUntil = new HashMap<>();

    Standing(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    synchronized void failed(Peer peer, Failure failure) {
        switch (failure) {
            case CORRUPT, REFUSED, UNREACHABLE -> out.add(peer.nodeId());
            case TIMEOUT -> {
                if (timeouts.merge(peer.nodeId(), 1, Integer::sum) >= MOST_TIMEOUTS) {
                    out.add(peer.nodeId());
                }
            }
            case BUSY, ABSENT -> restUntil.put(peer.nodeId(), nanoTime.getAsLong() + REST_NANOS);
        }
    }

    /** Another one takes its place as a home. */
    synchronized boolean isOut(Peer peer) {
        return out.contains(peer.nodeId());
    }

    /** It stays a home, and is not asked just now. */
    synchronized boolean rests(Peer peer) {
        Long until = restUntil.get(peer.nodeId());
        return until != null && nanoTime.getAsLong() - until < 0;
    }
}
