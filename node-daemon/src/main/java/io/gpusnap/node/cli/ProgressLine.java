package io.gpusnap.node.cli;

import io.gpusnap.node.operation.ProgressSnapshot;
import io.gpusnap.node.operation.StageState;
import io.gpusnap.node.operation.StageStatus;
import java.time.Duration;
import java.util.Locale;

/** How a stage reads. */
final class ProgressLine {

    private ProgressLine() {}

    /** The running stage in one line: bytes, rate, what remains. */
    static String running(StageStatus stage) {
        ProgressSnapshot progress = stage.progress();
        StringBuilder line = new StringBuilder(stage.name());
        if (progress.totalBytes() > 0) {
            line.append("  ")
                    .append(Texts.bytes(progress.doneBytes()))
                    .append(" of ")
                    .append(Texts.bytes(progress.totalBytes()))
                    .append("  ")
                    .append(Texts.percent(progress.doneBytes(), progress.totalBytes()));
        } else if (progress.doneBytes() > 0) {
            line.append("  ").append(Texts.bytes(progress.doneBytes()));
        }
        if (progress.bytesPerSecond() > 0) {
            line.append("  ").append(Texts.bytes(progress.bytesPerSecond())).append("/s");
        }
        progress.remainingSeconds()
                .ifPresent(seconds ->
                        line.append("  ").append(Texts.seconds(seconds)).append(" left"));
        return line.toString();
    }

    /** A stage that has come to something: its time and its bytes. */
    static String finished(StageStatus stage) {
        StringBuilder line = new StringBuilder(stage.name())
                .append("  ")
                .append(
                        stage.state() == StageState.SUCCEEDED
                                ? "done"
                                : stage.state().name().toLowerCase(Locale.ROOT));
        if (stage.state() == StageState.SUCCEEDED) {
            double seconds = seconds(stage);
            line.append(" in ").append(Texts.seconds(seconds));
            if (stage.progress().doneBytes() > 0) {
                line.append(", ").append(Texts.bytes(stage.progress().doneBytes()));
            }
        }
        return line.toString();
    }

    private static double seconds(StageStatus stage) {
        return stage.startedAt()
                .flatMap(start -> stage.finishedAt().map(end -> Duration.between(start, end)))
                .map(time -> time.toNanos() / 1e9)
                .orElse(0.0);
    }
}
