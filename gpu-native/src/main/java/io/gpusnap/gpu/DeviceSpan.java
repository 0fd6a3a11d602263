package io.gpusnap.gpu;

/**
 * A piece of device memory, inside one allocation.
 *
 * @param address an allocation's local address and an offset in it; a multiple of {@link #ALIGNMENT_BYTES}
 * @param sizeBytes 1 to {@link #MAX_BYTES}
 */
public record DeviceSpan(long address, long sizeBytes) {

    public static final long ALIGNMENT_BYTES = 16;
    public static final long MAX_BYTES = 4L << 20;

    public DeviceSpan {
        if (address == 0 || address % ALIGNMENT_BYTES != 0) {
            throw new IllegalArgumentException("not a multiple of 16: 0x" + Long.toHexString(address));
        }
        if (sizeBytes < 1 || sizeBytes > MAX_BYTES) {
            throw new IllegalArgumentException("not 1 byte to 4 MiB: " + sizeBytes);
        }
    }
}
