package io.gpusnap.service.rollout.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.platform.id.RolloutId;
import io.gpusnap.service.rollout.AnalysisRun;
import io.gpusnap.service.rollout.CanaryScale;
import io.gpusnap.service.rollout.Rollout;
import io.gpusnap.service.rollout.RolloutPhase;
import io.gpusnap.service.rollout.Rollouts;
import io.gpusnap.service.rollout.StepSpec;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A rollout.
 *
 * @param stepIndex the step that is done now, from 0
 * @param weight so many of a hundred restores get the new version
 * @param shares what was counted since the shares last changed
 * @param conditions one for each phase, as in Kubernetes; exactly one is true
 * @param analysis of the current step, or the last one
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "Rollout")
record RolloutResource(
        RolloutId id,
        String model,
        String alias,
        String stableVersion,
        String canaryVersion,
        RolloutPhase phase,
        String reason,
        List<StepSpec> steps,
        int stepIndex,
        int weight,
        @Nullable CanaryScale canaryScale,
        SharesView shares,
        List<Condition> conditions,
        @Nullable AnalysisRun analysis,
        Instant createdAt,
        Instant startedAt) {

    /**
     * Who got what.
     *
     * @param restores that were counted
     * @param canaryRestores those of them that got the new version
     */
    @Schema(name = "RolloutShares")
    record SharesView(long restores, long canaryRestores) {}

    /** A condition as in Kubernetes. */
    @Schema(name = "RolloutCondition")
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Condition(
            String type,
            boolean status,
            @Nullable String message,
            @Nullable Instant lastTransitionTime) {}

    static RolloutResource of(Rollouts.View view) {
        Rollout rollout = view.rollout();
        return new RolloutResource(
                rollout.id(),
                rollout.modelName(),
                rollout.alias(),
                rollout.stableVersion(),
                rollout.canaryVersion(),
                rollout.phase(),
                rollout.reason(),
                rollout.steps(),
                rollout.stepIndex(),
                rollout.weight(),
                rollout.canaryScale().orElse(null),
                new SharesView(view.restores(), view.canaryRestores()),
                conditions(rollout),
                rollout.lastAnalysis().orElse(null),
                rollout.createdAt(),
                rollout.startedAt());
    }

    private static List<Condition> conditions(Rollout rollout) {
        return Arrays.stream(RolloutPhase.values())
                .map(phase -> {
                    boolean is = phase == rollout.phase();
                    String type =
                            phase.name().charAt(0) + phase.name().substring(1).toLowerCase(Locale.ROOT);
                    return new Condition(type, is, is ? rollout.reason() : null, is ? rollout.phaseSince() : null);
                })
                .toList();
    }
}
