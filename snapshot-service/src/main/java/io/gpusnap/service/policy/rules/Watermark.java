package io.gpusnap.service.policy.rules;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.snapshot.LocationState;
import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.NotNull;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A store that is fuller than the high mark is emptied down to the low one: copies that other versions need less go first,
 * and of those the ones that were not used for longest. Where the last good copy would go, one is made elsewhere before.
 *
 * @param tier MEMORY, NVME or NFS; a store without bound is never full
 * @param high share of the capacity, above which room is made
 * @param low share of the capacity, down to which room is made
 */
public record Watermark(
        @NotNull Inventory.TierKind tier,
        @DecimalMin("0.01") @DecimalMax("1.0") double high,
        @DecimalMin("0.0") @DecimalMax("1.0") double low)
        implements Rule {
    static final String KIND = "watermark";

    /** Versions that nobody is served by first, then what was not used for longest. */
    private static final Comparator<Facts.SnapshotFacts> FIRST_TO_GO = Comparator.comparing(Facts.SnapshotFacts::role)
            .reversed()
            .thenComparing(Facts.SnapshotFacts::lastUsedAt)
            .thenComparing(snapshot -> snapshot.id().value());

    @Override
    public Optional<String> whyInvalid() {
        return low >= high ? Optional.of("must have a low mark below its high one") : Optional.empty();
    }

    @Override
    public void propose(Plan plan) {
        plan.facts().stores().values().stream()
                .filter(store -> store.kind() == tier && store.capacityBytes() > 0)
                .sorted(Comparator.comparing(store -> store.id().value()))
                .filter(store -> share(plan, store) > high)
                .forEach(store -> empty(plan, store));
    }

    private void empty(Plan plan, Facts.StoreFacts store) {
        String reason = "The store is " + Texts.percent(share(plan, store)) + " full, over " + Texts.percent(high)
                + "; copies leave it down to " + Texts.percent(low) + ".";
        List<Facts.SnapshotFacts> candidates = plan.snapshots()
                .filter(snapshot -> plan.copies(snapshot).stream()
                        .anyMatch(copy -> copy.store().equals(store.id())))
                .sorted(FIRST_TO_GO)
                .toList();
        long leaving = 0;
        for (Facts.SnapshotFacts snapshot : candidates) {
            if ((double) (plan.usedBytes(store) - leaving) / store.capacityBytes() <= low) {
                return;
            }
            leaving += leave(plan, store, snapshot, reason);
        }
    }

    /** @return bytes that go as soon as the copy elsewhere is there: for those nothing else has to go */
    private static long leave(Plan plan, Facts.StoreFacts store, Facts.SnapshotFacts snapshot, String reason) {
        Facts.CopyFacts copy = plan.copies(snapshot).stream()
                .filter(one -> one.store().equals(store.id()))
                .findFirst()
                .orElseThrow();
        if (copy.durable() && plan.durable(snapshot) == 1) {
            plan.copyTo(
                    snapshot,
                    other -> other.kind().shared(),
                    TransferPriority.BACKGROUND,
                    KIND,
                    reason + " Before that another store needs a copy.");
        }
        boolean gone = plan.remove(snapshot, copy, KIND, reason);
        boolean waits = copy.durable() && plan.beside(snapshot, copy, Facts.CopyFacts::durable) == 0;
        return !gone && waits && isComing(plan, snapshot, copy) ? copy.bytes() : 0;
    }

    private static boolean isComing(Plan plan, Facts.SnapshotFacts snapshot, Facts.CopyFacts beside) {
        return plan.copies(snapshot).stream()
                .anyMatch(copy -> copy.durable() && copy.state() == LocationState.COPYING && !copy.equals(beside));
    }

    private static double share(Plan plan, Facts.StoreFacts store) {
        return (double) plan.usedBytes(store) / store.capacityBytes();
    }
}
