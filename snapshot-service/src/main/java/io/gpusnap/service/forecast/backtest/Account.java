package io.gpusnap.service.forecast.backtest;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** What came of a policy, counted from the step on that the test begins with. */
final class Account {
    private final int from;
    private int starts;
    private int hot;
    private int refused;
    private long prefetchedBytes;
    private long prefetchedUnusedBytes;
    private long keptBytes;
    private long keptUnusedBytes;
    private final IntStream.Builder leads = IntStream.builder();

    Account(int from) {
        this.from = from;
    }

    /** A replica started from this copy, or cold. */
    void started(int step, FastTiers.@Nullable Copy copy) {
        if (step < from) {
            return;
        }
        starts++;
        if (copy != null) {
            hot++;
            if (copy.prefetched && !copy.used) {
                leads.add(step - copy.since);
            }
        }
    }

    void refused(int step) {
        if (step >= from) {
            refused++;
        }
    }

    void prefetched(long bytes, int step) {
        if (step >= from) {
            prefetchedBytes += bytes;
        }
    }

    void cameIn(long bytes, int step) {
        if (step >= from) {
            keptBytes += bytes;
        }
    }

    void gone(FastTiers.Copy copy) {
        if (copy.used || copy.since < from) {
            return;
        }
        if (copy.prefetched) {
            prefetchedUnusedBytes += copy.bytes;
        } else {
            keptUnusedBytes += copy.bytes;
        }
    }

    Score score(String policy, double seconds, double stepSeconds) {
        int[] sorted = leads.build().sorted().toArray();
        return new Score(
                policy,
                starts,
                starts == 0 ? 0 : (double) hot / starts,
                prefetchedBytes,
                ratio(prefetchedUnusedBytes, prefetchedBytes),
                keptBytes,
                ratio(keptUnusedBytes, keptBytes),
                ratio(prefetchedUnusedBytes + keptUnusedBytes, prefetchedBytes + keptBytes),
                sorted.length == 0 ? 0 : stepSeconds * sorted[sorted.length / 2],
                sorted.length == 0
                        ? 0
                        : stepSeconds * Arrays.stream(sorted).average().orElse(0),
                refused,
                seconds);
    }

    private static double ratio(long part, long whole) {
        return whole == 0 ? 0 : (double) part / whole;
    }
}
