package io.gpusnap.service.policy.rules;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;

/**
 * What was not used for long is only kept in one kind of store, once it is there.
 *
 * @param to NFS or S3
 * @param unusedFor since the last thaw, or since it was taken
 * @param roles of which versions; absent or empty for all
 */
public record Archive(
        @NotNull Inventory.TierKind to,
        @NotNull @DurationMin(minutes = 1) Duration unusedFor,
        @Nullable Set<Role> roles)
        implements Rule {
    static final String KIND = "archive";

    @Override
    public Optional<String> whyInvalid() {
        return !to.shared() ? Optional.of("must archive to NFS or S3") : Optional.empty();
    }

    @Override
    public void propose(Plan plan) {
        plan.snapshots()
                .filter(snapshot -> snapshot.role().isIn(roles)
                        && snapshot.unusedFor(plan.facts().now()).compareTo(unusedFor) > 0)
                .toList()
                .forEach(snapshot -> archive(plan, snapshot));
    }

    private void archive(Plan plan, Facts.SnapshotFacts snapshot) {
        String reason = "It was not thawed for "
                + Texts.time(snapshot.unusedFor(plan.facts().now())) + "; after " + Texts.time(unusedFor)
                + " it is only kept on " + to + ".";
        if (plan.copies(snapshot, to).isEmpty()) {
            plan.copyTo(snapshot, store -> store.kind() == to, TransferPriority.BACKGROUND, KIND, reason);
        }
        plan.copies(snapshot).stream()
                .filter(copy -> copy.kind() != to)
                .toList()
                .forEach(copy -> plan.replace(snapshot, copy, archived -> archived.kind() == to, KIND, reason));
    }
}
