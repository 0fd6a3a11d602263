package io.gpusnap.node.cli;

import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.RunningOperation;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StageState;
import io.gpusnap.node.operation.StageStatus;
import java.io.PrintWriter;

/** Shows an operation's way: on a terminal one line that is overwritten while a stage runs, elsewhere a line a stage. */
final class ProgressPrinter implements StageListener {

    private static final String CLEAR_LINE = "\r\u001b[K";
    private static final long INTERVAL_MILLIS = 200;

    private final PrintWriter err;
    private final boolean terminal;

    ProgressPrinter(PrintWriter err, boolean terminal) {
        this.err = err;
        this.terminal = terminal;
    }

    @Override
    public void stageChanged(OperationSpec spec, StageStatus status) {
        if (status.state() == StageState.RUNNING || status.state() == StageState.SKIPPED) {
            return;
        }
        synchronized (this) {
            err.print(terminal ? CLEAR_LINE : "");
            err.println(ProgressLine.finished(status));
            err.flush();
        }
    }

    /** Keeps the line of the running stage fresh until interrupted; returns at once where there is no terminal. */
    void follow(RunningOperation operation) {
        while (terminal) {
            operation.stages().stream()
                    .filter(stage -> stage.state() == StageState.RUNNING)
                    .findFirst()
                    .ifPresent(this::show);
            try {
                Thread.sleep(INTERVAL_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private synchronized void show(StageStatus stage) {
        err.print(CLEAR_LINE + ProgressLine.running(stage));
        err.flush();
    }
}
