package io.gpusnap.service.policy.rules;

import jakarta.validation.constraints.Min;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;

/**
 * How many snapshots of a version are kept, and how long. The newest one of a stable or canary version is always kept.
 *
 * @param keepNewest of each version; absent for any number
 * @param maxAge since it was taken, and since it was last used; absent for ever
 * @param roles of which versions; absent or empty for all
 */
public record Retention(
        @Min(1) @Nullable Integer keepNewest,
        @DurationMin(minutes = 1) @Nullable Duration maxAge,
        @Nullable Set<Role> roles)
        implements Rule {
    static final String KIND = "retention";

    @Override
    public Optional<String> whyInvalid() {
        return keepNewest == null && maxAge == null ? Optional.of("must have keepNewest or maxAge") : Optional.empty();
    }

    @Override
    public void propose(Plan plan) {
        Map<String, List<Facts.SnapshotFacts>> byVersion = plan.snapshots()
                .filter(snapshot -> snapshot.role().isIn(roles))
                .sorted(Newest.FIRST)
                .collect(Collectors.groupingBy(Facts.SnapshotFacts::name));
        byVersion.values().forEach(snapshots -> {
            for (int i = 0; i < snapshots.size(); i++) {
                Facts.SnapshotFacts snapshot = snapshots.get(i);
                why(plan, snapshot, i).ifPresent(reason -> plan.delete(snapshot, KIND, reason));
            }
        });
    }

    /** @param newer number of newer ones of its version */
    private Optional<String> why(Plan plan, Facts.SnapshotFacts snapshot, int newer) {
        if (newer == 0 && snapshot.role() != Role.HISTORY) {
            return Optional.empty();
        }
        if (keepNewest != null && newer >= keepNewest) {
            return Optional.of(
                    "Of " + snapshot.name() + " the newest " + keepNewest + " are kept, and " + newer + " are newer.");
        }
        Duration unused = snapshot.unusedFor(plan.facts().now());
        return maxAge != null && unused.compareTo(maxAge) > 0
                ? Optional.of("It was neither taken nor thawed for " + Texts.time(unused) + "; after "
                        + Texts.time(maxAge) + " it is deleted.")
                : Optional.empty();
    }
}
