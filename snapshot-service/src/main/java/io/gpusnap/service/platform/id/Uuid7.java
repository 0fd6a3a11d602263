package io.gpusnap.service.platform.id;

import java.security.SecureRandom;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * UUID version 7 (RFC 9562): milliseconds since 1970 in the upper 48 bits, so that the order of ids is the order of
 * creation and a listing can page by id alone.
 */
final class Uuid7 {
    // UUID.fromString also takes short forms such as 1-1-1-1-1; two spellings of one id would be two cache keys.
    private static final Pattern CANONICAL =
            Pattern.compile("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}");
    private static final SecureRandom RANDOM = new SecureRandom();
    private static long lastTick;

    private Uuid7() {}

    static UUID next() {
        long tick = nextTick();
        long millis = tick >>> 12;
        long counter = tick & 0xFFF;
        long high = (millis << 16) | 0x7000L | counter;
        long low = (RANDOM.nextLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L;
        return new UUID(high, low);
    }

    static UUID parse(String text) {
        if (!CANONICAL.matcher(text).matches()) {
            throw new IllegalArgumentException("not a UUID");
        }
        return UUID.fromString(text);
    }

    /** Milliseconds and a 12-bit counter in one number that only grows, even when the clock steps back. */
    private static synchronized long nextTick() {
        lastTick = Math.max(lastTick + 1, System.currentTimeMillis() << 12);
        return lastTick;
    }
}
