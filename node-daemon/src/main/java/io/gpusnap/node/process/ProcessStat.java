package io.gpusnap.node.process;

/**
 * What /proc/pid/stat says.
 *
 * @param state one letter: R S D T t Z X I
 * @param startTimeTicks clock ticks since boot
 * @param waitStatus as wait(2) has it, of one that is dead; 0 while it lives, and where we may not look
 */
public record ProcessStat(
        int pid, String command, char state, int parent, int session, long startTimeTicks, int waitStatus) {

    private static final int SIGNAL_BITS = 0x7f;

    /** The command may hold spaces and parentheses: fields are counted from its last closing one. */
    static ProcessStat parse(String text) {
        int open = text.indexOf('(');
        int close = text.lastIndexOf(')');
        String[] fields = text.substring(close + 2).trim().split(" ");
        return new ProcessStat(
                Integer.parseInt(text.substring(0, open).trim()),
                text.substring(open + 1, close),
                fields[0].charAt(0),
                Integer.parseInt(fields[1]),
                Integer.parseInt(fields[3]),
                Long.parseLong(fields[19]),
                fields.length > 49 ? Integer.parseInt(fields[49]) : 0);
    }

    public ProcessId id() {
        return new ProcessId(pid, startTimeTicks);
    }

    public boolean isDead() {
        return state == 'Z' || state == 'X';
    }

    /** How one that is dead ended, in words. */
    public String ending() {
        int signal = waitStatus & SIGNAL_BITS;
        return signal == 0 ? "exited with status " + (waitStatus >> 8) : "was ended by signal " + signal;
    }

    public boolean isStopped() {
        return state == 'T' || state == 't';
    }
}
