package io.gpusnap.bench.store;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A file with the entropy of weights: bf16 values of a normal distribution, about 10.6 bits in 16. The same seed gives the same
 * file.
 */
final class Weights {

    private static final double DEVIATION = 0.02;
    private static final int VALUES = 1 << 16;
    private static final long STEP_BYTES = 1 << 20;
    private static final short[] QUANTILES = quantiles();

    private Weights() {}

    static Map<String, Object> write(Path file, long sizeBytes, long seed) throws IOException {
        try (FileChannel channel = FileChannel.open(
                        file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
                Arena arena = Arena.ofConfined()) {
            MemorySegment content = channel.map(FileChannel.MapMode.READ_WRITE, 0, sizeBytes, arena);
            fill(content, 0, sizeBytes, new SplittableRandom(seed));
        }
        return Map.of("bytes", sizeBytes);
    }

    /**
     * New values in evenly spread regions, as when some tensors were trained further. They begin at odd places, as tensors in a
     * file do.
     *
     * @param regions that are together the ratio of the file
     */
    static Map<String, Object> change(Path file, double ratio, int regions, long seed) throws IOException {
        long changed = 0;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
                Arena arena = Arena.ofConfined()) {
            long sizeBytes = channel.size();
            MemorySegment content = channel.map(FileChannel.MapMode.READ_WRITE, 0, sizeBytes, arena);
            SplittableRandom random = new SplittableRandom(seed);
            long spread = sizeBytes / regions;
            long bytes = (long) (sizeBytes * ratio / regions) / 2 * 2;
            for (int region = 0; region < regions; region++) {
                long start = region * spread + random.nextLong((spread - bytes) / 2) * 2;
                fill(content, start, bytes, random);
                changed += bytes;
            }
        }
        return Map.of("bytes", changed);
    }

    static void fill(MemorySegment content, long start, long sizeBytes, SplittableRandom random) {
        short[] step = new short[(int) (STEP_BYTES / Short.BYTES)];
        for (long done = 0; done < sizeBytes; done += STEP_BYTES) {
            int values = (int) (Math.min(STEP_BYTES, sizeBytes - done) / Short.BYTES);
            for (int i = 0; i < values; i += 4) {
                long four = random.nextLong();
                for (int j = 0; j < 4 && i + j < values; j++) {
                    step[i + j] = QUANTILES[(int) (four >>> (16 * j)) & 0xffff];
                }
            }
            MemorySegment.copy(step, 0, content, ValueLayout.JAVA_SHORT_UNALIGNED, start + done, values);
        }
    }

    /** As likely as each other, so that a uniform index gives a normal value. */
    private static short[] quantiles() {
        short[] values = new short[VALUES];
        for (int i = 0; i < VALUES; i++) {
            float value = (float) (DEVIATION * quantile((i + 0.5) / VALUES));
            values[i] = (short) (Float.floatToRawIntBits(value) >>> 16);
        }
        return values;
    }

    /** Of the standard normal distribution, by bisection of its distribution function (Abramowitz and Stegun 26.2.17). */
    private static double quantile(double probability) {
        double low = -6;
        double high = 6;
        for (int i = 0; i < 60; i++) {
            double middle = (low + high) / 2;
            if (probabilityBelow(middle) < probability) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private static double probabilityBelow(double x) {
        double t = 1 / (1 + 0.2316419 * Math.abs(x));
        double polynomial =
                t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
        double above = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI) * polynomial;
        return x >= 0 ? 1 - above : above;
    }
}
