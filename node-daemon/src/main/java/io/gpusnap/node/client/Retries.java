package io.gpusnap.node.client;

import io.gpusnap.node.operation.RetryPolicy;
import java.util.random.RandomGenerator;

/** Repeats a call while the service is unavailable, a bounded number of times, with jitter. */
final class Retries {

    interface Call<T> {
        T run() throws NodeApiException, InterruptedException;
    }

    private final RetryPolicy policy;

    Retries(RetryPolicy policy) {
        this.policy = policy;
    }

    <T> T run(Call<T> call) throws NodeApiException, InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                return call.run();
            } catch (NodeApiException.Unavailable e) {
                if (attempt >= policy.maxAttempts()) {
                    throw e;
                }
                Thread.sleep(policy.delayAfter(attempt, RandomGenerator.getDefault()));
            }
        }
    }
}
