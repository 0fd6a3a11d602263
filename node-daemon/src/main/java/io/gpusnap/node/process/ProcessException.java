package io.gpusnap.node.process;

/** A process did not do what was asked of it. */
public final class ProcessException extends Exception {

    public ProcessException(String message) {
        super(message);
    }
}
