package io.gpusnap.bench;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import tools.jackson.databind.JsonNode;

/** Times an operation from the call that creates it to the daemon that waits for it. */
final class ClaimLatency {
    private static final int WARM_UP = 20;
    private static final int SETTLE_MILLIS = 60;

    private ClaimLatency() {}

    /**
     * Creates at one instance what a daemon of the node waits for at another one, or the same.
     *
     * @param snapshot held by the daemon's node; it is verified again and again
     */
    static Latencies measure(Http creates, Daemon waits, String snapshot, int count)
            throws IOException, InterruptedException, ExecutionException {
        double[] millis = new double[count];
        try (ExecutorService waiting = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = -WARM_UP; i < count; i++) {
                Future<Claimed> claimed = waiting.submit(() -> {
                    JsonNode task = waits.claim(10);
                    return new Claimed(task, System.nanoTime());
                });
                // The claim is to wait by then.
                Thread.sleep(SETTLE_MILLIS + (i & 15));
                long began = System.nanoTime();
                creates.post("/api/v1/snapshots/" + snapshot + "/verifications", "", 202);
                Claimed got = claimed.get();
                waits.done(got.task());
                if (i >= 0) {
                    millis[i] = (got.at() - began) / 1e6;
                }
            }
        }
        return Latencies.of(millis);
    }

    private record Claimed(JsonNode task, long at) {}
}
