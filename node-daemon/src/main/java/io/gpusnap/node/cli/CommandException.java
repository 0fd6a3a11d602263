package io.gpusnap.node.cli;

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

    int exitCode() {
        return exitCode;
    }

    String line() {
        String text = code + ": " + getMessage();
        return mend == null ? text : text + "; " + mend;
    }
}
