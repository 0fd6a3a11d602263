package io.gpusnap.node.peer;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/** What this node's dealings with others came to. Thread-safe. */
public final class PeerCounts {

    /** Why a peer did not bring what it was asked for. */
    public enum Failure {
        /** Nobody answers there, or the connection broke. */
        UNREACHABLE,
        /** It took longer than a request may. */
        TIMEOUT,
        /** It does not take the token. */
        REFUSED,
        /** It brought other bytes. */
        CORRUPT,
        /** It has other things to do. */
        BUSY,
        /** It does not know the snapshot, or has not begun with it. */
        ABSENT
    }

    private final EnumMap<Failure, LongAdder> failures = new EnumMap<>(Failure.class);
    private final LongAdder servedBytes = new LongAdder();
    private final LongAdder refused = new LongAdder();

    PeerCounts() {
        for (Failure failure : Failure.values()) {
            failures.put(failure, new LongAdder());
        }
    }

    void failed(Failure failure) {
        failures.getOrDefault(failure, new LongAdder()).increment();
    }

    void served(long bytes) {
        servedBytes.add(bytes);
    }

    void refusedToken() {
        refused.increment();
    }

    /** By reason, in lower case. */
    public Map<String, Long> failures() {
        Map<String, Long> byReason = new TreeMap<>();
        failures.forEach((failure, sum) -> byReason.put(failure.name().toLowerCase(Locale.ROOT), sum.sum()));
        return byReason;
    }

    public long servedBytes() {
        return servedBytes.sum();
    }

    /** Requests of others whose token was not taken. */
    public long refusedTokens() {
        return refused.sum();
    }
}
