package io.gpusnap.service.tier;

import io.gpusnap.service.platform.id.SnapshotId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** A table that tells the ledger what it should not believe: as if the ledger did not look. */
record FlawedTable(MemoryTable table, Flaw flaw) implements ObjectTable {

    @Override
    public Map<String, ObjectState> states(Collection<String> names) {
        Map<String, ObjectState> states = table.states(names);
        if (flaw == Flaw.NO_RECHECK) {
            states.replaceAll((name, state) -> state == ObjectState.USED ? state : ObjectState.CONDEMNED);
        }
        return states;
    }

    @Override
    public void add(Map<String, Long> sizes, ObjectState state) {
        table.add(sizes, state);
    }

    @Override
    public void move(Collection<String> names, ObjectState to) {
        table.move(names, to);
    }

    @Override
    public void refer(SnapshotId snapshot, Collection<String> names) {
        table.refer(snapshot, names);
    }

    @Override
    public void unrefer(SnapshotId snapshot) {
        table.unrefer(snapshot);
    }

    @Override
    public List<String> unreferred(int limit) {
        return flaw == Flaw.REFERENCES_IGNORED ? table.in(ObjectState.USED, limit) : table.unreferred(limit);
    }

    @Override
    public List<String> ripe(Duration atLeast, Instant before, int limit) {
        return flaw == Flaw.INDEXES_IGNORED
                ? table.condemned(atLeast, before).limit(limit).toList()
                : table.ripe(atLeast, before, limit);
    }

    @Override
    public List<String> deletedBefore(Instant before, int limit) {
        return table.deletedBefore(before, limit);
    }

    @Override
    public List<String> in(ObjectState state, int limit) {
        return table.in(state, limit);
    }

    @Override
    public void forget(Collection<String> names) {
        table.forget(names);
    }

    @Override
    public Instant oldestTransfer() {
        return flaw == Flaw.TRANSFERS_IGNORED ? table.now : table.oldestTransfer();
    }
}
