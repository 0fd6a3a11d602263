package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.Violation;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What is wrong with steps beyond what each field says of itself. */
final class StepChecks {
    private StepChecks() {}

    /** @throws ApiException INVALID_REQUEST with every violation */
    static void check(List<StepSpec> steps, boolean prometheus) {
        List<Violation> violations = new ArrayList<>();
        for (int i = 0; i < steps.size(); i++) {
            String pointer = "/steps/" + i;
            switch (Step.of(steps.get(i), pointer)) {
                case Step.Analyse analyse ->
                    check(analyse.analysis(), pointer + "/analysis/metrics/", prometheus, violations);
                case Step.SetCanaryScale set -> {
                    if (set.scale().replicas() != null && set.scale().weight() != null) {
                        violations.add(
                                new Violation(pointer + "/setCanaryScale", "must have replicas or weight, not both"));
                    }
                }
                case Step.SetWeight set -> {}
                case Step.Pause pause -> {}
            }
        }
        if (!violations.isEmpty()) {
            throw new ApiException(
                    ErrorCode.INVALID_REQUEST,
                    violations.getFirst().pointer() + " "
                            + violations.getFirst().detail() + ".",
                    violations);
        }
    }

    private static void check(AnalysisSpec analysis, String pointer, boolean prometheus, List<Violation> violations) {
        Set<String> names = new HashSet<>();
        for (int i = 0; i < analysis.metrics().size(); i++) {
            AnalysisSpec.Metric metric = analysis.metrics().get(i);
            if (!names.add(metric.name())) {
                violations.add(new Violation(pointer + i + "/name", "is there twice"));
            }
            switch (metric.kind()) {
                case TIME_TO_FIRST_ANSWER -> {
                    if (metric.maxSeconds() == null) {
                        violations.add(new Violation(pointer + i + "/maxSeconds", "is required for this kind"));
                    }
                }
                case PROMETHEUS -> {
                    if (metric.query() == null) {
                        violations.add(new Violation(pointer + i + "/query", "is required for this kind"));
                    }
                    if (metric.success() == null && metric.failure() == null) {
                        violations.add(new Violation(pointer + i + "/success", "or failure is required for this kind"));
                    }
                    if (!prometheus) {
                        violations.add(new Violation(
                                pointer + i + "/kind", "needs the setting gpusnap.rollouts.prometheus-url"));
                    }
                }
                case THAW_SUCCESS_RATE, ANSWER_ORACLE -> {}
            }
        }
    }
}
