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
 * What was not used for a while leaves a tier. If a slower one has no copy yet, that is made first, and is there before anything leaves.
 *
 * @param from MEMORY, NVME or NFS
 * @param unusedFor since the last thaw, or since it was taken
 * @param atLeastBytes only snapshots from this size on; absent for all
 * @param roles of which versions; absent or empty for all
 */
public record Demote(
        @NotNull Inventory.TierKind from,
        @NotNull @DurationMin(minutes = 1) Duration unusedFor,
        @Nullable Long atLeastBytes,
        @Nullable Set<Role> roles)
        implements Rule {
    static final String KIND = "demote";

    @Override
    public Optional<String> whyInvalid() {
        return from == Inventory.TierKind.S3 ? Optional.of("must demote from MEMORY, NVME or NFS") : Optional.empty();
    }

    @Override
    public void propose(Plan plan) {
        plan.snapshots().filter(snapshot -> applies(plan, snapshot)).toList().forEach(snapshot -> {
            String reason = "It was not thawed for "
                    + Texts.time(snapshot.unusedFor(plan.facts().now())) + "; after " + Texts.time(unusedFor)
                    + " it leaves " + from + ".";
            if (plan.copies(snapshot).stream().noneMatch(copy -> copy.kind().compareTo(from) > 0)) {
                plan.copyTo(
                        snapshot,
                        store -> store.kind().compareTo(from) > 0,
                        TransferPriority.BACKGROUND,
                        KIND,
                        reason + " Before that a slower tier needs a copy.");
            }
            plan.copies(snapshot, from)
                    .forEach(copy ->
                            plan.replace(snapshot, copy, slower -> slower.kind().compareTo(from) > 0, KIND, reason));
        });
    }

    private boolean applies(Plan plan, Facts.SnapshotFacts snapshot) {
        return snapshot.role().isIn(roles)
                && (atLeastBytes == null || snapshot.bytes() >= atLeastBytes)
                && snapshot.unusedFor(plan.facts().now()).compareTo(unusedFor) > 0
                && !plan.copies(snapshot, from).isEmpty();
    }
}
