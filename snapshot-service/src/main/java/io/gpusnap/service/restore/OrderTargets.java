package io.gpusnap.service.restore;

import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.version.Aliases;
import io.gpusnap.service.version.ModelVersions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.stereotype.Component;

/** Finds which version of which model an order means. */
@Component
class OrderTargets {
    private final Snapshots snapshots;
    private final ModelVersions versions;
    private final Aliases aliases;
    // Looked up late: rollouts look at restores, too.
    private final ObjectProvider<RolloutChoice> rollouts;

    OrderTargets(Snapshots snapshots, ModelVersions versions, Aliases aliases, ObjectProvider<RolloutChoice> rollouts) {
        this.snapshots = snapshots;
        this.versions = versions;
        this.aliases = aliases;
        this.rollouts = rollouts;
    }

    /**
     * What is meant, and why.
     *
     * @param only the snapshot that it has to be
     */
    record Found(Restore.Target target, Optional<SnapshotId> only, List<String> reasons) {}

    /** @throws io.gpusnap.service.platform.problem.ApiException SNAPSHOT_NOT_FOUND, MODEL_NOT_FOUND, VERSION_NOT_FOUND, ALIAS_NOT_FOUND */
    Found of(Order order, boolean dryRun) {
        return switch (order.wish()) {
            case Order.ThatSnapshot that -> {
                Snapshot snapshot = snapshots.get(that.snapshot());
                yield new Found(
                        new Restore.Target(
                                snapshot.modelName(),
                                snapshot.versionName(),
                                null,
                                order.replicaKey(),
                                null,
                                order.recoveryPriority()),
                        Optional.of(snapshot.id()),
                        List.of("The caller named the snapshot."));
            }
            case Order.VersionOf of -> {
                versions.get(of.model(), of.version());
                yield found(of.model(), of.version(), List.of(), order, null, null);
            }
            case Order.AliasOf of -> {
                String standsFor = aliases.get(of.model(), of.alias()).versionName();
                yield rollouts.stream()
                        .flatMap(rollout -> rollout.choose(of.model(), of.alias(), order.replicaKey(), dryRun).stream())
                        .findFirst()
                        .map(chosen -> found(
                                of.model(), chosen.version(), List.of(chosen.reason()), order, of.alias(), chosen))
                        .orElseGet(() -> found(
                                of.model(),
                                standsFor,
                                List.of("Alias " + of.alias() + " stands for " + standsFor + "."),
                                order,
                                of.alias(),
                                null));
            }
        };
    }

    /** What a restore that is done again is of. */
    Order.Wish again(Restore lost) {
        return lost.alias()
                .filter(alias -> aliases.find(lost.modelName(), alias).isPresent())
                .<Order.Wish>map(alias -> new Order.AliasOf(lost.modelName(), alias))
                .orElseGet(() -> new Order.VersionOf(lost.modelName(), lost.versionName()));
    }

    private static Found found(
            String model,
            String version,
            List<String> why,
            Order order,
            @Nullable String alias,
            RolloutChoice.@Nullable Chosen chosen) {
        List<String> reasons = new ArrayList<>(why);
        reasons.add("It is the newest READY snapshot of " + model + " " + version + " that can come back.");
        return new Found(
                new Restore.Target(
                        model,
                        version,
                        alias,
                        order.replicaKey(),
                        chosen == null ? null : chosen.rollout(),
                        order.recoveryPriority()),
                Optional.empty(),
                reasons);
    }
}
