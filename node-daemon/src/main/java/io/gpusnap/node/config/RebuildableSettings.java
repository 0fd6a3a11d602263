package io.gpusnap.node.config;

import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * What this node believes of an application that says it can rebuild memory.
 *
 * @param tags those that are honoured, or empty for all
 * @param minBytes smaller pieces are saved all the same
 */
public record RebuildableSettings(Optional<Set<String>> tags, long minBytes) {

    private static final String TAG = "[!-+\\--~]{1,31}";

    public RebuildableSettings {
        tags = tags.map(Set::copyOf);
    }

    public boolean honours(String tag) {
        return tags.map(listed -> listed.contains(tag)).orElse(true);
    }

    /** {@code all}, {@code none}, or tags with commas between them. */
    static Optional<Set<String>> tags(String text) {
        return switch (text.strip()) {
            case "all" -> Optional.empty();
            case "none" -> Optional.of(Set.of());
            default -> Optional.of(listed(text));
        };
    }

    private static Set<String> listed(String text) {
        Set<String> tags = new LinkedHashSet<>();
        for (String part : text.split(",", -1)) {
            String tag = part.strip();
            if (!tag.matches(TAG)) {
                throw new IllegalArgumentException(
                        "'" + tag + "' is no tag; write all, none, or tags of 1 to 31 printable"
                                + " characters with commas between them");
            }
            tags.add(tag);
        }
        return tags;
    }
}
