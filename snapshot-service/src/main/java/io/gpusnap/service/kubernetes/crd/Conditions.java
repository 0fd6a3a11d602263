package io.gpusnap.service.kubernetes.crd;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Conditions, keyed by type. */
public final class Conditions {
    /** The one that says whether the resource does what it is there for. */
    public static final String READY = "Ready";

    private Conditions() {}

    /**
     * The list with this condition in it. Its time of transition is new only if its status is.
     *
     * @param reason in one CamelCase word
     */
    public static List<Condition> with(
            @Nullable List<Condition> before,
            String type,
            boolean status,
            String reason,
            String message,
            @Nullable Long generation,
            Instant now) {
        List<Condition> all = new ArrayList<>(before == null ? List.of() : before);
        String text = status ? "True" : "False";
        String since = find(all, type)
                .filter(old -> text.equals(old.getStatus()))
                .map(Condition::getLastTransitionTime)
                .orElseGet(() -> now.truncatedTo(ChronoUnit.SECONDS).toString());
        all.removeIf(one -> type.equals(one.getType()));
        all.add(new ConditionBuilder()
                .withType(type)
                .withStatus(text)
                .withReason(reason)
                .withMessage(message)
                .withObservedGeneration(generation)
                .withLastTransitionTime(since)
                .build());
        return List.copyOf(all);
    }

    public static Optional<Condition> find(@Nullable List<Condition> conditions, String type) {
        return Objects.requireNonNullElse(conditions, List.<Condition>of()).stream()
                .filter(one -> type.equals(one.getType()))
                .findFirst();
    }

    /** Whether it is there and True. */
    public static boolean isTrue(@Nullable List<Condition> conditions, String type) {
        return find(conditions, type).map(one -> "True".equals(one.getStatus())).orElse(false);
    }
}
