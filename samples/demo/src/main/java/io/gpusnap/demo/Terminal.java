package io.gpusnap.demo;

import java.io.Console;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;

/** Lines on standard output, each with the seconds since the start; a live line only where a person watches. */
final class Terminal {

    private static final String CLEAR_LINE = "\r\u001b[2K";

    private final PrintStream out;
    private final boolean live;
    private final Instant started = Instant.now();
    private boolean liveLineShown;

    Terminal(PrintStream out, boolean live) {
        this.out = out;
        this.live = live;
    }

    static Terminal standard() {
        Console console = System.console();
        return new Terminal(System.out, console != null && console.isTerminal());
    }

    /** A new chapter of the demo. */
    synchronized void step(String text) {
        clear();
        out.printf("%n[%5.1f s] %s%n", Units.seconds(Duration.between(started, Instant.now())), text);
    }

    synchronized void say(String text) {
        clear();
        out.println("          " + text);
    }

    synchronized void plain(String text) {
        clear();
        out.println(text);
    }

    /** Replaced by whatever comes next; not printed at all into files and pipes. */
    synchronized void live(String text) {
        if (live) {
            out.print(CLEAR_LINE + "          " + text);
            out.flush();
            liveLineShown = true;
        }
    }

    private void clear() {
        if (liveLineShown) {
            out.print(CLEAR_LINE);
            liveLineShown = false;
        }
    }
}
