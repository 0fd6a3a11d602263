package io.gpusnap.node.operation;

import java.time.Instant;
import java.util.Optional;

/**
 * One stage as seen from outside.
 *
 * @param attempt 0 before the first start
 */
public record StageStatus(
        String name,
        StageState state,
        int attempt,
        Optional<Instant> startedAt,
        Optional<Instant> finishedAt,
        ProgressSnapshot progress) {

    static StageStatus pending(String name) {
        return new StageStatus(name, StageState.PENDING, 0, Optional.empty(), Optional.empty(), ProgressSnapshot.NONE);
    }

    StageStatus with(ProgressSnapshot newProgress) {
        return new StageStatus(name, state, attempt, startedAt, finishedAt, newProgress);
    }

    StageStatus after(JournalEvent.StageChanged change) {
        if (!Transitions.legal(state, change.state())) {
            throw new IllegalStateException("stage " + name + " cannot go from " + state + " to " + change.state());
        }
        ProgressSnapshot bytes = ProgressSnapshot.of(change.doneBytes(), change.totalBytes(), 0);
        return switch (change.state()) {
            case PENDING, SKIPPED -> new StageStatus(name, change.state(), attempt, startedAt, finishedAt, progress);
            case RUNNING ->
                new StageStatus(
                        name,
                        change.state(),
                        change.attempt(),
                        startedAt.or(() -> Optional.of(change.at())),
                        Optional.empty(),
                        bytes);
            case SUCCEEDED, FAILED ->
                new StageStatus(name, change.state(), attempt, startedAt, Optional.of(change.at()), bytes);
            case COMPENSATED ->
                new StageStatus(
                        name,
                        change.state(),
                        attempt,
                        startedAt,
                        finishedAt.or(() -> Optional.of(change.at())),
                        progress);
        };
    }
}
