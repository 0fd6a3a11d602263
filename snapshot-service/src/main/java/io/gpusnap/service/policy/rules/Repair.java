package io.gpusnap.service.policy.rules;

import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.snapshot.LocationState;

/**
 * A corrupt copy goes once there is another one that can be read, and in a shared store a new one is made from that. In a node's own
 * store the other rules decide whether there should be one again. Part of every policy; not to be named in one.
 */
record Repair() implements Rule {
    static final String KIND = "repair";

    @Override
    public void propose(Plan plan) {
        plan.snapshots()
                .toList()
                .forEach(snapshot -> snapshot.copies().stream()
                        .filter(copy -> copy.state() == LocationState.CORRUPT)
                        .forEach(copy -> repair(plan, snapshot, copy)));
    }

    private static void repair(Plan plan, Facts.SnapshotFacts snapshot, Facts.CopyFacts copy) {
        if (plan.remove(snapshot, copy, KIND, "This copy was found wrong.")
                && copy.kind().shared()) {
            plan.copyTo(
                    snapshot,
                    store -> store.id().equals(copy.store()),
                    TransferPriority.NORMAL,
                    KIND,
                    "The copy there was found wrong, and another one is good.");
        }
    }
}
