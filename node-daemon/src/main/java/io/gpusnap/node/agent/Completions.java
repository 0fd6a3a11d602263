package io.gpusnap.node.agent;

import io.gpusnap.node.client.Completion;
import io.gpusnap.node.client.StageReport;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationLog;
import io.gpusnap.node.operation.OperationOutcome;
import java.util.List;

/** Says to the service how an operation ended. */
final class Completions {

    /** The service takes no longer texts. */
    private static final int LONGEST_DETAIL = 10_000;

    private final NodeWork work;

    Completions(NodeWork work) {
        this.work = work;
    }

    Completion of(OperationLog log, OperationOutcome outcome, long epoch) {
        List<StageReport> stages = log.stages().stream().map(StageReport::of).toList();
        NodeWork.Result result = work.result(log);
        return switch (outcome) {
            case OperationOutcome.Succeeded s ->
                new Completion(
                                epoch,
                                Completion.Outcome.SUCCEEDED,
                                stages,
                                null,
                                result.saved(),
                                result.thawed(),
                                result.suspended(),
                                result.workloadLost())
                        .with(result.tier(), result.damaged());
            case OperationOutcome.Failed f ->
                new Completion(
                        epoch,
                        Completion.Outcome.FAILED,
                        stages,
                        new Completion.Failure(
                                f.code(),
                                detail(f.detail(), f.undoProblems()),
                                f.stage().orElse(null),
                                f.retryable()),
                        null,
                        result.thawed(),
                        result.suspended(),
                        result.workloadLost());
            case OperationOutcome.Cancelled c
            when c.code() == FailureCode.CANCELLED && c.undoProblems().isEmpty() ->
                new Completion(epoch, Completion.Outcome.CANCELLED, stages, null, null, null, result.workloadLost());
            // Nobody asked for it, or it could not be undone: for the caller that is a failure.
            case OperationOutcome.Cancelled c ->
                new Completion(
                        epoch,
                        Completion.Outcome.FAILED,
                        stages,
                        new Completion.Failure(
                                c.code(),
                                detail(c.reason(), c.undoProblems()),
                                c.stage().orElse(null),
                                c.undoProblems().isEmpty()),
                        null,
                        result.thawed(),
                        result.suspended(),
                        result.workloadLost());
        };
    }

    private static String detail(String text, List<String> undoProblems) {
        String whole = undoProblems.isEmpty() ? text : text + "; not undone: " + String.join("; ", undoProblems);
        String shown = whole.isBlank() ? "no detail" : whole;
        return shown.length() <= LONGEST_DETAIL ? shown : shown.substring(0, LONGEST_DETAIL - 1) + "…";
    }
}
