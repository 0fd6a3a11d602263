package io.gpusnap.service.forecast.backtest;

import java.util.ArrayList;
import java.util.List;

/** Plays a trace to a policy, step by step. */
final class Backtest {
    private final Trace trace;
    private final Fleet fleet;
    private final int testFrom;

    /** @param testFrom the first step that counts; before it everything happens as well, so that no policy begins empty */
    Backtest(Trace trace, Fleet fleet, int testFrom) {
        this.trace = trace;
        this.fleet = fleet;
        this.testFrom = testFrom;
    }

    /** @param learnFrom the first step that the policy may act at */
    Score run(Policy policy, int learnFrom) {
        long began = System.nanoTime();
        Account account = new Account(testFrom);
        FastTiers tiers = new FastTiers(fleet, trace, account);
        List<List<Integer>> running = new ArrayList<>();
        trace.models().forEach(model -> running.add(new ArrayList<>()));
        for (int step = 0; step < trace.steps(); step++) {
            // Replicas that end make room for those that start in the same step.
            for (int model = 0; model < running.size(); model++) {
                while (running.get(model).size() > trace.models().get(model).replicas()[step]) {
                    tiers.end(running.get(model).removeLast());
                }
            }
            for (int model = 0; model < running.size(); model++) {
                start(model, step, running.get(model), tiers, policy, account);
            }
            if (step >= learnFrom && step + 1 < trace.steps()) {
                policy.between(step, tiers);
            }
        }
        tiers.close();
        return account.score(
                policy.name(), (System.nanoTime() - began) / 1e9, trace.step().toSeconds());
    }

    private void start(int model, int step, List<Integer> running, FastTiers tiers, Policy policy, Account account) {
        while (running.size() < trace.models().get(model).replicas()[step]) {
            int node = tiers.start(model, step, policy);
            if (node < 0) {
                account.refused(step);
                return;
            }
            running.add(node);
        }
    }
}
