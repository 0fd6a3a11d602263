package io.gpusnap.service.policy.rules;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where the forecast expects replicas, the newest snapshot of a version is brought to a fast tier of so many nodes before
 * they are asked for.
 *
 * @param expectedReplicas that the forecast must expect at least
 * @param to MEMORY or NVME
 * @param roles of which versions; absent or empty for all
 */
public record Prefetch(
        @DecimalMin("0.1") double expectedReplicas,
        @NotNull Inventory.TierKind to,
        @Min(1) @Max(1000) int nodes,
        @Nullable Set<Role> roles)
        implements Rule {
    static final String KIND = "prefetch";

    @Override
    public Optional<String> whyInvalid() {
        return to.shared() ? Optional.of("must bring it to MEMORY or NVME") : Optional.empty();
    }

    @Override
    public void propose(Plan plan) {
        plan.snapshots().filter(snapshot -> applies(plan, snapshot)).toList().forEach(snapshot -> {
            for (int has = plan.copies(snapshot, to).size(); has < nodes; has++) {
                plan.copyTo(snapshot, store -> store.kind() == to, TransferPriority.URGENT, KIND, reason(snapshot));
                if (plan.copies(snapshot, to).size() == has) {
                    return; // blocked, and so would be the next
                }
            }
        });
    }

    @Override
    public Optional<String> objectsTo(Plan plan, Facts.SnapshotFacts snapshot, Facts.CopyFacts copy) {
        return applies(plan, snapshot) && copy.kind() == to && plan.beside(snapshot, copy, to) < nodes
                ? Optional.of(reason(snapshot))
                : Optional.empty();
    }

    private boolean applies(Plan plan, Facts.SnapshotFacts snapshot) {
        return snapshot.expectedReplicas() >= expectedReplicas
                && snapshot.role().isIn(roles)
                && plan.isNewest(snapshot);
    }

    private String reason(Facts.SnapshotFacts snapshot) {
        return "The forecast expects " + Math.round(snapshot.expectedReplicas() * 10) / 10.0 + " replicas of "
                + snapshot.model() + "; from " + expectedReplicas + " on it should be on " + to + " of " + nodes
                + " nodes.";
    }
}
