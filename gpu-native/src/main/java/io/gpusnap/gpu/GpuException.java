package io.gpusnap.gpu;

/** A call into libgpusnap failed. The message is the library's text for people. */
public final class GpuException extends Exception {

    private final GpuStatus status;

    public GpuException(GpuStatus status, String text) {
        super(text);
        this.status = status;
    }

    public GpuStatus status() {
        return status;
    }
}
