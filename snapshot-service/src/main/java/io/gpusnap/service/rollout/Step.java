package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a rollout does next. */
sealed interface Step {

    /** From here on so many of a hundred restores get the new version. */
    record SetWeight(int percent) implements Step {}

    /** Waits; without a time until somebody promotes it. */
    record Pause(Optional<Duration> time) implements Step {}

    /** Measures, and goes on, back or to a halt. */
    record Analyse(AnalysisSpec analysis) implements Step {}

    /** How many replicas get the new version, apart from the weight. */
    record SetCanaryScale(CanaryScale scale) implements Step {}

    /** @throws ApiException INVALID_REQUEST unless the specification names exactly one step */
    static Step of(StepSpec spec, String pointer) {
        List<Step> named = named(spec);
        if (named.size() != 1) {
            String detail = "must have exactly one of setWeight, pause, analysis, setCanaryScale";
            throw new ApiException(
                    ErrorCode.INVALID_REQUEST, pointer + " " + detail + ".", List.of(new Violation(pointer, detail)));
        }
        return named.getFirst();
    }

    private static List<Step> named(StepSpec spec) {
        List<Step> steps = new ArrayList<>();
        if (spec.setWeight() != null) {
            steps.add(new SetWeight(spec.setWeight()));
        }
        if (spec.pause() != null) {
            Integer seconds = spec.pause().durationSeconds();
            steps.add(new Pause(Optional.ofNullable(seconds).map(Duration::ofSeconds)));
        }
        if (spec.analysis() != null) {
            steps.add(new Analyse(spec.analysis()));
        }
        if (spec.setCanaryScale() != null) {
            steps.add(new SetCanaryScale(spec.setCanaryScale()));
        }
        return steps;
    }
}
