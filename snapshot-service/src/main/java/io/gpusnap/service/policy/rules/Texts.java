package io.gpusnap.service.policy.rules;

import java.time.Duration;
import java.util.Locale;

/** Numbers as reasons have them. */
final class Texts {
    private Texts() {}

    /** Two units at most, such as {@code 2 d 3 h}. */
    static String time(Duration time) {
        if (time.toDays() > 0) {
            return time.toDays() + " d" + (time.toHoursPart() > 0 ? " " + time.toHoursPart() + " h" : "");
        }
        return time.toHours() > 0 ? time.toHours() + " h" + part(time.toMinutesPart()) : time.toMinutes() + " min";
    }

    private static String part(int minutes) {
        return minutes > 0 ? " " + minutes + " min" : "";
    }

    static String percent(double share) {
        return String.format(Locale.ROOT, "%.0f %%", share * 100);
    }

    static String copies(long count) {
        return count == 1 ? "1 durable copy" : count + " durable copies";
    }
}
