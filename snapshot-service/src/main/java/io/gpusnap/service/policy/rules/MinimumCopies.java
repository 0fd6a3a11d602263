package io.gpusnap.service.policy.rules;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.snapshot.LocationState;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * So many durable copies, each in another store; shared stores are preferred for those that are lacking. A copy in a store that
 * does not answer for the moment is waited for: it would be there again before all that the store has was copied once more. So is
 * one that no node can read for the moment, until a scrub has tried. Where something is to go only copies count that are there and
 * can be read.
 *
 * @param roles of which versions; absent or empty for all
 */
public record MinimumCopies(
        @Min(1) @Max(16) int copies, @Nullable Set<Role> roles) implements Rule {
    static final String KIND = "minimum-copies";

    @Override
    public boolean promises() {
        return true;
    }

    @Override
    public void propose(Plan plan) {
        plan.snapshots()
                .filter(snapshot -> snapshot.role().isIn(roles))
                .toList()
                .forEach(snapshot -> propose(plan, snapshot));
    }

    private void propose(Plan plan, Facts.SnapshotFacts snapshot) {
        for (long has = plan.durable(snapshot); has < copies; has++) {
            plan.copyTo(
                    snapshot,
                    store -> store.kind() != Inventory.TierKind.MEMORY,
                    TransferPriority.NORMAL,
                    KIND,
                    reason(plan, snapshot));
            if (plan.durable(snapshot) == has) {
                return; // blocked, and so would be the next
            }
        }
        long silent = plan.outOfReach(snapshot, Facts.Reach.SILENT);
        long closed = plan.outOfReach(snapshot, Facts.Reach.CLOSED);
        if (plan.durable(snapshot) - silent - closed < copies) {
            plan.waitFor(
                    snapshot,
                    KIND,
                    reason(plan, snapshot)
                            + (silent > 0 ? " Should that store not come back, another one gets a copy." : "")
                            + (closed > 0 ? " Should a scrub not be able to read it, another store gets a copy." : ""));
        }
    }

    @Override
    public Optional<String> objectsTo(Plan plan, Facts.SnapshotFacts snapshot, Facts.CopyFacts copy) {
        return snapshot.role().isIn(roles)
                        && copy.durable()
                        && plan.beside(snapshot, copy, Facts.CopyFacts::durable) < copies
                ? Optional.of(reason(plan, snapshot))
                : Optional.empty();
    }

    private String reason(Plan plan, Facts.SnapshotFacts snapshot) {
        List<Facts.CopyFacts> durable =
                plan.copies(snapshot).stream().filter(Facts.CopyFacts::durable).toList();
        long there = durable.stream().filter(Facts.CopyFacts::isThere).count();
        long coming = durable.stream()
                .filter(copy -> copy.state() == LocationState.COPYING)
                .count();
        String more = more(coming, "on its way")
                + more(plan.outOfReach(snapshot, Facts.Reach.SILENT), "in a store that does not answer for the moment")
                + more(plan.outOfReach(snapshot, Facts.Reach.GIVEN_UP), "in a store that has not answered for long")
                + more(plan.outOfReach(snapshot, Facts.Reach.CLOSED), "that no node can read for the moment")
                + more(plan.outOfReach(snapshot, Facts.Reach.UNREADABLE), "that a scrub could not read");
        return "It has " + Texts.copies(there) + more + (more.isEmpty() ? " and" : ", and") + " should have " + copies
                + ".";
    }

    private static String more(long count, String where) {
        return count == 0 ? "" : ", " + count + " more " + where;
    }
}
