package io.gpusnap.bench;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.Random;

/** Times restore decisions, dry, of versions at random. */
final class RestoreDecisions {
    private final Http http;
    private final int versions;

    RestoreDecisions(Http http, Settings.Size size) {
        this.http = http;
        this.versions = size.snapshots() / Population.SNAPSHOTS_A_VERSION;
    }

    Latencies measure(int warmUp, int count) throws IOException, InterruptedException {
        Random random = new Random(1);
        double[] millis = new double[count];
        for (int i = -warmUp; i < count; i++) {
            double took = one(1 + random.nextInt(versions));
            if (i >= 0) {
                millis[i] = took;
            }
        }
        return Latencies.of(millis);
    }

    /** One, for its plans. */
    void once() throws IOException, InterruptedException {
        one(1);
    }

    private double one(int version) throws IOException, InterruptedException {
        long began = System.nanoTime();
        HttpResponse<String> response = http.post(
                "/api/v1/restores",
                "{\"model\":\"bench-model-" + version + "\",\"version\":\"v1\",\"dryRun\":true,\"fallback\":\"NONE\"}");
        double millis = (System.nanoTime() - began) / 1e6;
        if (response.statusCode() / 100 != 2 || !response.body().contains("nodeName")) {
            throw new IllegalStateException("no decision: " + response.statusCode() + " " + response.body());
        }
        return millis;
    }
}
