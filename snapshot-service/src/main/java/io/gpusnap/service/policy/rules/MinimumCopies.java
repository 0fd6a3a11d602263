package io.gpusnap.service.policy.rules;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * So many durable copies, each in another store; shared stores are preferred for those that are lacking.
 *
 * @param roles of which versions; absent or empty for all
 */
public record MinimumCopies(
        @Min(1) @Max(16) int copies, @Nullable Set<Role> roles) implements Rule {
    static final String KIND = "minimum-copies";

    @Override
    public void propose(Plan plan) {
        plan.snapshots()
                .filter(snapshot -> snapshot.role().isIn(roles))
                .toList()
                .forEach(snapshot -> {
                    for (long has = plan.durable(snapshot); has < copies; has++) {
                        plan.copyTo(
                                snapshot,
                                store -> store.kind() != Inventory.TierKind.MEMORY,
                                TransferPriority.NORMAL,
                                KIND,
                                "It has " + Texts.copies(has) + " and should have " + copies + ".");
                        if (plan.durable(snapshot) == has) {
                            return; // blocked, and so would be the next
                        }
                    }
                });
    }

    @Override
    public Optional<String> objectsTo(Plan plan, Facts.SnapshotFacts snapshot, Facts.CopyFacts copy) {
        return snapshot.role().isIn(roles) && copy.durable() && plan.durable(snapshot) <= copies
                ? Optional.of("It has " + Texts.copies(plan.durable(snapshot)) + " and should have " + copies + ".")
                : Optional.empty();
    }
}
