package io.gpusnap.service.tier;

import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.testing.Turns;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** A table that waits for its turn before each statement. */
record StoppingTable(ObjectTable table, Turns.Player player) implements ObjectTable {

    @Override
    public Map<String, ObjectState> states(Collection<String> names) {
        player.stop("states");
        return table.states(names);
    }

    @Override
    public void add(Map<String, Long> sizes, ObjectState state) {
        player.stop("add " + state);
        table.add(sizes, state);
    }

    @Override
    public void move(Collection<String> names, ObjectState to) {
        player.stop("move to " + to);
        table.move(names, to);
    }

    @Override
    public void refer(SnapshotId snapshot, Collection<String> names) {
        player.stop("refer");
        table.refer(snapshot, names);
    }

    @Override
    public void unrefer(SnapshotId snapshot) {
        player.stop("unrefer");
        table.unrefer(snapshot);
    }

    @Override
    public List<String> unreferred(int limit) {
        player.stop("unreferred");
        return table.unreferred(limit);
    }

    @Override
    public List<String> ripe(Duration atLeast, Instant before, int limit) {
        player.stop("ripe");
        return table.ripe(atLeast, before, limit);
    }

    @Override
    public List<String> deletedBefore(Instant before, int limit) {
        player.stop("deleted before");
        return table.deletedBefore(before, limit);
    }

    @Override
    public List<String> in(ObjectState state, int limit) {
        player.stop("in " + state);
        return table.in(state, limit);
    }

    @Override
    public void forget(Collection<String> names) {
        player.stop("forget");
        table.forget(names);
    }

    @Override
    public Instant oldestTransfer() {
        player.stop("oldest transfer");
        return table.oldestTransfer();
    }
}
