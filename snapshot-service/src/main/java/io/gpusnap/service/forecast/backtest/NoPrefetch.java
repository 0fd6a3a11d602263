package io.gpusnap.service.forecast.backtest;

/** Every replica fetches its snapshot when it starts, and nothing stays. */
final class NoPrefetch implements Policy {
    @Override
    public String name() {
        return "no prefetch";
    }

    @Override
    public boolean keepsWhatCameIn() {
        return false;
    }

    @Override
    public void between(int step, FastTiers tiers) {
        // nothing is ever done ahead
    }

    @Override
    public FastTiers.Copy victim(int node, FastTiers tiers) {
        throw new IllegalStateException("nothing is kept, so nothing has to go");
    }
}
