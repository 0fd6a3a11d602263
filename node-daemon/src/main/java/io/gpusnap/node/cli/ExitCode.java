package io.gpusnap.node.cli;

/** What the command's exit status means; documented in docs/node-daemon.md. */
final class ExitCode {

    static final int OK = 0;
    /** The work failed, or doctor found that nothing works. */
    static final int FAILED = 1;
    /** The command line or the configuration is wrong. */
    static final int USAGE = 2;
    /** Another process, usually the daemon, works with the node's state. */
    static final int IN_USE = 3;
    /** Cancelled by a signal, and undone. */
    static final int CANCELLED = 130;

    private ExitCode() {}
}
