package io.gpusnap.node.config;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: {@code 1073741824}, {@code 1GiB}, {@code 512 MiB}. Powers of 1024 only. */
public final class ByteSize {

    private static final Pattern FORM = Pattern.compile("([0-9]{1,18})\\s*(|b|kib|mib|gib|tib)");
    static final String MEND = "write bytes or a number with KiB, MiB, GiB or TiB";

    private ByteSize() {}

    /** @throws IllegalArgumentException when it is no size; the message says how to write one */
    public static long parse(String text) {
        Matcher form = FORM.matcher(text.strip().toLowerCase(Locale.ROOT));
        if (!form.matches()) {
            throw new IllegalArgumentException(MEND);
        }
        int shift = switch (form.group(2)) {
            case "kib" -> 10;
            case "mib" -> 20;
            case "gib" -> 30;
            case "tib" -> 40;
            default -> 0;
        };
        long number = Long.parseLong(form.group(1));
        if (number > Long.MAX_VALUE >> shift) {
            throw new IllegalArgumentException("it is larger than any machine; " + MEND);
        }
        return number << shift;
    }
}
