package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Condition;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.crd.Conditions;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What policies say of the shared tier's archive: the last that this leader has seen. */
@KubernetesComponent
class ArchiveCondition {
    static final String TYPE = "TierArchived";

    private final KubernetesSettings settings;
    private final DatabaseClock clock;
    private volatile Archives.@Nullable Verdict verdict;

    ArchiveCondition(KubernetesSettings settings, DatabaseClock clock) {
        this.settings = settings;
        this.clock = clock;
    }

    /** From now on. Whether it is another one than before. */
    boolean set(Archives.Verdict now) {
        boolean another = !now.equals(verdict);
        verdict = now;
        return another;
    }

    /** The conditions with this one in it; without it where no archive is wanted, and as it was while nobody has looked. */
    List<Condition> in(@Nullable List<Condition> before, @Nullable Long generation) {
        List<Condition> conditions = Objects.requireNonNullElse(before, List.of());
        Archives.Verdict now = verdict;
        if (settings.archive().claim() == null) {
            return conditions.stream()
                    .filter(one -> !TYPE.equals(one.getType()))
                    .toList();
        }
        return now == null
                ? conditions
                : Conditions.with(conditions, TYPE, now.good(), now.reason(), now.message(), generation, clock.now());
    }
}
