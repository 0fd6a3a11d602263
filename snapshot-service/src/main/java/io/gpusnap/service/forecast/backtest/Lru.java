package io.gpusnap.service.forecast.backtest;

/** A cache: what a replica fetched stays until the room is needed, and the least recently used goes first. */
final class Lru implements Policy {
    @Override
    public String name() {
        return "LRU";
    }

    @Override
    public boolean keepsWhatCameIn() {
        return true;
    }

    @Override
    public void between(int step, FastTiers tiers) {
        // nothing is ever done ahead
    }

    @Override
    public FastTiers.Copy victim(int node, FastTiers tiers) {
        return tiers.copies(node).iterator().next();
    }
}
