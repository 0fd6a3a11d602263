package io.gpusnap.node.engine.device;

/**
 * What a fill took.
 *
 * @param movedBytes that crossed the bus: all but the zeros
 * @param seconds during which at least one call brought something to a device, zeros and hashing included: a fill that waits for
 *     chunks, or for memory to put them in, is no slower for that
 */
public record FillOutcome(long movedBytes, double seconds) {

    public static final FillOutcome NOTHING = new FillOutcome(0, 0);

    public FillOutcome plus(FillOutcome other) {
        return new FillOutcome(movedBytes + other.movedBytes, seconds + other.seconds);
    }

    /** Of the bus; 0 where nothing crossed it. */
    public double bytesPerSecond() {
        return movedBytes == 0 ? 0 : movedBytes / Math.max(seconds, 1e-9);
    }
}
