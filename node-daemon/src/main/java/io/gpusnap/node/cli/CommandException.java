package io.gpusnap.node.cli;

import io.gpusnap.node.operation.StageException;
import org.jspecify.annotations.Nullable;

/** A command cannot do its work. Shown as one line, a problem: code, what happened, and the mend. */
public final class CommandException extends Exception {

    private final int exitCode;
    private final String code;
    private final @Nullable String mend;

    CommandException(int exitCode, String code, String detail, @Nullable String mend) {
        super(detail);
        this.exitCode = exitCode;
        this.code = code;
        this.mend = mend;
    }

    static CommandException of(StageException e) {
        return new CommandException(
                ExitCode.FAILED, e.code().name(), e.detail().replace('\n', ' '), Mends.of(e.code()));
    }

    int exitCode() {
        return exitCode;
    }

    String line() {
        String text = code + ": " + getMessage();
        return mend == null ? text : text + "; " + mend;
    }
}
