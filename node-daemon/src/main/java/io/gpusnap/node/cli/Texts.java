package io.gpusnap.node.cli;

import java.util.Locale;

/** Numbers as people read them. */
final class Texts {

    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Texts() {}

    static String bytes(double value) {
        double shown = value;
        int unit = 0;
        while (shown >= 1024 && unit < UNITS.length - 1) {
            shown /= 1024;
            unit++;
        }
        return unit == 0
                ? String.format(Locale.ROOT, "%.0f B", shown)
                : String.format(Locale.ROOT, "%.1f %s", shown, UNITS[unit]);
    }

    static String seconds(double value) {
        if (value < 60) {
            return String.format(Locale.ROOT, "%.1f s", value);
        }
        long whole = Math.round(value);
        return String.format(Locale.ROOT, "%d:%02d min", whole / 60, whole % 60);
    }

    static String percent(double part, double whole) {
        return whole <= 0 ? "-" : String.format(Locale.ROOT, "%.0f %%", 100 * part / whole);
    }
}
