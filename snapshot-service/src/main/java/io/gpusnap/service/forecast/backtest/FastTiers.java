package io.gpusnap.service.forecast.backtest;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is hot where in the simulated fleet, and the account of it. */
final class FastTiers {
    private final Fleet fleet;
    private final Trace trace;
    private final List<Map<Integer, Copy>> nodes = new ArrayList<>();
    private final long[] free;
    private final int[] slots;
    private final Account account;

    FastTiers(Fleet fleet, Trace trace, Account account) {
        this.fleet = fleet;
        this.trace = trace;
        this.account = account;
        free = new long[fleet.nodes()];
        slots = new int[fleet.nodes()];
        for (int node = 0; node < fleet.nodes(); node++) {
            nodes.add(new LinkedHashMap<>());
            free[node] = fleet.fastBytes();
            slots[node] = fleet.slotsPerNode();
        }
    }

    /** A snapshot in a fast tier. */
    static final class Copy {
        final int model;
        final long bytes;
        final boolean prefetched;
        final int since;
        boolean used;

        Copy(int model, long bytes, boolean prefetched, int since) {
            this.model = model;
            this.bytes = bytes;
            this.prefetched = prefetched;
            this.since = since;
        }
    }

    int freeSlots(int node) {
        return slots[node];
    }

    long freeBytes(int node) {
        return free[node];
    }

    Fleet fleet() {
        return fleet;
    }

    /** The least recently used first. */
    Collection<Copy> copies(int node) {
        return nodes.get(node).values();
    }

    void giveUp(int node, int model) {
        Copy copy = nodes.get(node).remove(model);
        if (copy != null) {
            free[node] += copy.bytes;
            account.gone(copy);
        }
    }

    void prefetch(int node, int model, int step) {
        long bytes = trace.models().get(model).bytes();
        put(node, new Copy(model, bytes, true, step));
        account.prefetched(bytes, step);
    }

    private void put(int node, Copy copy) {
        if (free[node] < copy.bytes) {
            throw new IllegalStateException(
                    "a copy of " + copy.bytes + " bytes was put where " + free[node] + " are free");
        }
        free[node] -= copy.bytes;
        nodes.get(node).put(copy.model, copy);
    }

    /** A replica starts: where the snapshot is hot if a slot is free there, else where most slots are free. Returns the node, -1 if all is full. */
    int start(int model, int step, Policy policy) {
        int hot = -1;
        int any = -1;
        for (int node = 0; node < slots.length; node++) {
            if (slots[node] > 0) {
                Copy copy = nodes.get(node).get(model);
                // What comes in during this step is not hot for another replica of the same step.
                if (copy != null && copy.since < step && (hot < 0 || slots[node] > slots[hot])) {
                    hot = node;
                }
                if (any < 0 || slots[node] > slots[any]) {
                    any = node;
                }
            }
        }
        int node = hot >= 0 ? hot : any;
        if (node >= 0) {
            slots[node]--;
            Copy copy = nodes.get(node).get(model);
            account.started(step, hot >= 0 ? copy : null);
            if (hot >= 0) {
                use(node, nodes.get(node).get(model));
            } else if (copy == null && policy.keepsWhatCameIn()) {
                comeIn(node, model, step, policy);
            }
        }
        return node;
    }

    private void use(int node, @Nullable Copy copy) {
        if (copy != null) {
            copy.used = true;
            nodes.get(node).remove(copy.model);
            nodes.get(node).put(copy.model, copy);
        }
    }

    private void comeIn(int node, int model, int step, Policy policy) {
        long bytes = trace.models().get(model).bytes();
        if (bytes > fleet.fastBytes()) {
            return;
        }
        while (free[node] < bytes) {
            giveUp(node, policy.victim(node, this).model);
        }
        put(node, new Copy(model, bytes, false, step));
        account.cameIn(bytes, step);
    }

    void end(int node) {
        slots[node]++;
    }

    /** What is still there and was never used was for nothing, too. */
    void close() {
        nodes.forEach(copies -> copies.values().forEach(account::gone));
    }
}
