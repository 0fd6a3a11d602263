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
 * What was used lately has a copy in a faster tier.
 *
 * @param usedWithin since the last thaw
 * @param to MEMORY, NVME or NFS
 * @param atMostBytes only snapshots up to this size; absent for all
 * @param roles of which versions; absent or empty for all
 */
public record Promote(
        @NotNull @DurationMin(minutes = 1) Duration usedWithin,
        @NotNull Inventory.TierKind to,
        @Nullable Long atMostBytes,
        @Nullable Set<Role> roles)
        implements Rule {
    static final String KIND = "promote";

    @Override
    public Optional<String> whyInvalid() {
        return to == Inventory.TierKind.S3 ? Optional.of("must promote to MEMORY, NVME or NFS") : Optional.empty();
    }

    @Override
    public void propose(Plan plan) {
        plan.snapshots()
                .filter(snapshot ->
                        applies(plan, snapshot) && plan.copies(snapshot, to).isEmpty())
                .toList()
                .forEach(snapshot -> plan.copyTo(
                        snapshot, store -> store.kind() == to, TransferPriority.URGENT, KIND, reason(plan, snapshot)));
    }

    @Override
    public Optional<String> objectsTo(Plan plan, Facts.SnapshotFacts snapshot, Facts.CopyFacts copy) {
        return applies(plan, snapshot) && copy.kind() == to && plan.beside(snapshot, copy, to) == 0
                ? Optional.of(reason(plan, snapshot))
                : Optional.empty();
    }

    private boolean applies(Plan plan, Facts.SnapshotFacts snapshot) {
        return snapshot.role().isIn(roles)
                && (atMostBytes == null || snapshot.bytes() <= atMostBytes)
                && snapshot.lastUsedAt().isAfter(snapshot.readyAt())
                && snapshot.unusedFor(plan.facts().now()).compareTo(usedWithin) <= 0;
    }

    private String reason(Plan plan, Facts.SnapshotFacts snapshot) {
        return "It was last thawed "
                + Texts.time(snapshot.unusedFor(plan.facts().now())) + " ago; within " + Texts.time(usedWithin)
                + " it should be on " + to + ".";
    }
}
