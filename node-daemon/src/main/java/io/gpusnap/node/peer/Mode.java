package io.gpusnap.node.peer;

import java.util.Arrays;
import java.util.Optional;

/** How hard a peer is to try. */
enum Mode {
    /** What it has, and what it reads anyway. */
    IF_HERE("if-here"),
    /** It reads from the store what it lacks: it is the home of these chunks. */
    FETCH("fetch");

    private final String text;

    Mode(String text) {
        this.text = text;
    }

    String text() {
        return text;
    }

    static Optional<Mode> of(String text) {
        return Arrays.stream(values()).filter(mode -> mode.text.equals(text)).findFirst();
    }
}
