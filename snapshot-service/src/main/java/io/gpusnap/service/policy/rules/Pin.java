package io.gpusnap.service.policy.rules;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.util.Optional;

/**
 * The newest snapshot of a version stays, with a copy in a tier.
 *
 * @param model its name
 * @param version its name
 * @param tier where it always has a copy
 */
public record Pin(
        @NotBlank @Size(max = 63) String model,
        @NotBlank @Size(max = 63) String version,
        @NotNull Inventory.TierKind tier)
        implements Rule {
    static final String KIND = "pin";

    @Override
    public boolean promises() {
        return true;
    }

    @Override
    public void propose(Plan plan) {
        plan.snapshots()
                .filter(snapshot -> names(snapshot)
                        && plan.isNewest(snapshot)
                        && plan.copies(snapshot, tier).isEmpty())
                .toList()
                .forEach(snapshot ->
                        plan.copyTo(snapshot, store -> store.kind() == tier, TransferPriority.NORMAL, KIND, reason()));
    }

    @Override
    public Optional<String> objectsTo(Plan plan, Facts.SnapshotFacts snapshot, Facts.CopyFacts copy) {
        return names(snapshot)
                        && plan.isNewest(snapshot)
                        && copy.kind() == tier
                        && plan.beside(snapshot, copy, tier) == 0
                ? Optional.of(reason())
                : Optional.empty();
    }

    @Override
    public Optional<String> objectsToDeletion(Facts.SnapshotFacts snapshot) {
        return names(snapshot) ? Optional.of("its version is pinned") : Optional.empty();
    }

    private boolean names(Facts.SnapshotFacts snapshot) {
        return snapshot.model().equals(model) && snapshot.version().equals(version);
    }

    private String reason() {
        return model + "/" + version + " is pinned to " + tier + ".";
    }
}
