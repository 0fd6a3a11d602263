package io.gpusnap.demo;

/** The demo cannot go on; the message says why in one line and, where there is one, the mend. */
final class DemoFailure extends RuntimeException {

    DemoFailure(String message) {
        super(message);
    }

    DemoFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
