package io.gpusnap.node.process;

import java.util.Optional;

/** What a container's gpusnap-placeholder is at. It says so by its own name, which no other process can set. */
public enum PlaceholderState {
    WAITING,
    CLAIMED,
    RUNNING;

    private static final String PREFIX = "gpusnap:";

    /** Empty for a process that is no placeholder, or is gone. */
    public static Optional<PlaceholderState> of(ProcFs proc, ProcessId init) {
        return proc.stat(init.pid())
                .filter(stat -> stat.id().equals(init) && !stat.isDead())
                .flatMap(stat -> parse(stat.command()));
    }

    static boolean isPlaceholder(ProcFs proc, int pid) {
        return proc.stat(pid).flatMap(stat -> parse(stat.command())).isPresent();
    }

    private static Optional<PlaceholderState> parse(String command) {
        return switch (command) {
            case PREFIX + "waiting" -> Optional.of(WAITING);
            case PREFIX + "claimed" -> Optional.of(CLAIMED);
            case PREFIX + "running" -> Optional.of(RUNNING);
            default -> Optional.empty();
        };
    }
}
