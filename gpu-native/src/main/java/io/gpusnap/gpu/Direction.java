package io.gpusnap.gpu;

/** Of a copy; the constants are in the order of {@code gpusnap_direction}. */
public enum Direction {
    DEVICE_TO_HOST,
    HOST_TO_DEVICE
}
