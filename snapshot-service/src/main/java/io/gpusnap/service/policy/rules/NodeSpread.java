package io.gpusnap.service.policy.rules;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The newest snapshot of a version is in the own stores of so many nodes, so that it comes back fast when one is lost.
 *
 * @param roles of which versions; absent or empty for all
 */
public record NodeSpread(
        @Min(1) @Max(1000) int nodes, @Nullable Set<Role> roles) implements Rule {
    static final String KIND = "node-spread";

    @Override
    public boolean promises() {
        return true;
    }

    @Override
    public void propose(Plan plan) {
        plan.snapshots().filter(snapshot -> applies(plan, snapshot)).toList().forEach(snapshot -> {
            for (int on = on(plan, snapshot); on < nodes; on++) {
                plan.copyTo(
                        snapshot,
                        store -> store.kind() == Inventory.TierKind.NVME,
                        TransferPriority.NORMAL,
                        KIND,
                        reason(on));
                if (on(plan, snapshot) == on) {
                    return; // blocked, and so would be the next
                }
            }
        });
    }

    @Override
    public Optional<String> objectsTo(Plan plan, Facts.SnapshotFacts snapshot, Facts.CopyFacts copy) {
        return applies(plan, snapshot)
                        && copy.kind() == Inventory.TierKind.NVME
                        && plan.beside(snapshot, copy, Inventory.TierKind.NVME) < nodes
                ? Optional.of(reason(on(plan, snapshot)))
                : Optional.empty();
    }

    private String reason(int on) {
        return "It is on " + on + (on == 1 ? " node" : " nodes") + " and should be on " + nodes + ".";
    }

    private boolean applies(Plan plan, Facts.SnapshotFacts snapshot) {
        return snapshot.role().isIn(roles) && plan.isNewest(snapshot);
    }

    private static int on(Plan plan, Facts.SnapshotFacts snapshot) {
        return plan.copies(snapshot, Inventory.TierKind.NVME).size();
    }
}
