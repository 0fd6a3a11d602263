package io.gpusnap.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Counts calls a second of several daemons at once. */
final class Throughput {
    private Throughput() {}

    @FunctionalInterface
    interface Call {
        /** False when there is nothing left to do. */
        boolean make(Daemon daemon) throws IOException, InterruptedException;
    }

    /** @return calls a second */
    static double measure(List<Daemon> daemons, int seconds, Call call)
            throws InterruptedException, ExecutionException {
        long began = System.nanoTime();
        long until = began + seconds * 1_000_000_000L;
        List<Future<Integer>> counts = new ArrayList<>();
        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Daemon daemon : daemons) {
                counts.add(pool.submit(() -> {
                    int made = 0;
                    while (System.nanoTime() < until && call.make(daemon)) {
                        made++;
                    }
                    return made;
                }));
            }
        }
        int sum = 0;
        for (Future<Integer> count : counts) {
            sum += count.get();
        }
        return sum / ((System.nanoTime() - began) / 1e9);
    }
}
