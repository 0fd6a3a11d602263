package io.gpusnap.demo;

import java.time.Duration;
import java.util.Locale;

/** Numbers as people read them. */
final class Units {

    private static final String[] BINARY = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Units() {}

    /** {@code 1536} is "1.5 KiB". */
    static String bytes(double bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < BINARY.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? "%.0f B".formatted(value) : String.format(Locale.ROOT, "%.1f %s", value, BINARY[unit]);
    }

    static String rate(double bytesPerSecond) {
        return bytes(bytesPerSecond) + "/s";
    }

    static String seconds(double seconds) {
        return String.format(Locale.ROOT, "%.2f s", seconds);
    }

    static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }

    static String percent(double ratio) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * ratio);
    }
}
