package io.gpusnap.node.tier;

/**
 * Whether a file system has direct I/O, as far as it has shown: not each says so when it has none, and an error of one that has it
 * may be a bad sector. Thread-safe.
 */
final class DirectSupport {

    private volatile boolean proven;
    private volatile boolean refused;

    /** Whether it is to be tried. */
    boolean possible() {
        return !refused;
    }

    /** Whether it has worked. */
    boolean proven() {
        return proven;
    }

    void worked() {
        if (!proven) {
            proven = true;
            refused = false;
        }
    }

    /** Where it never worked it is not tried again; where it did, this was about one file or one moment. */
    void failed() {
        if (!proven) {
            refused = true;
        }
    }
}
