package io.gpusnap.node.archive;

import io.gpusnap.node.store.ManifestException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One header block of a tar (POSIX.1-1988 ustar).
 *
 * @param size bytes of content that follow, in blocks of {@link #BYTES}
 */
record TarHeader(String name, long size, char type) {

    static final int BYTES = 512;
    static final char FILE = '0';
    static final char FOLDER = '5';
    static final char EXTENSION = 'x';
    static final char COMMON_EXTENSION = 'g';
    static final char LONG_NAME = 'L';
    static final char LONG_LINK = 'K';

    private static final int NAME_BYTES = 100;
    private static final int MODE_AT = 100;
    private static final int SIZE_AT = 124;
    private static final int TIME_AT = 136;
    private static final int SUM_AT = 148;
    private static final int TYPE_AT = 156;
    private static final int MAGIC_AT = 257;
    private static final int PREFIX_AT = 345;
    private static final int PREFIX_BYTES = 155;
    private static final int NUMBER_BYTES = 12;
    private static final int SUM_BYTES = 8;

    /** @param mode permission bits; the owner is nobody in particular */
    byte[] write(int mode, long epochSeconds) {
        byte[] block = new byte[BYTES];
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        if (bytes.length > NAME_BYTES) {
            throw new IllegalArgumentException("no entry has a name as long as " + name);
        }
        System.arraycopy(bytes, 0, block, 0, bytes.length);
        octal(block, MODE_AT, 8, mode);
        octal(block, MODE_AT + 8, 8, 0);
        octal(block, MODE_AT + 16, 8, 0);
        octal(block, SIZE_AT, NUMBER_BYTES, size);
        octal(block, TIME_AT, NUMBER_BYTES, epochSeconds);
        block[TYPE_AT] = (byte) type;
        System.arraycopy("ustar\00000".getBytes(StandardCharsets.US_ASCII), 0, block, MAGIC_AT, 8);
        octal(block, SUM_AT, SUM_BYTES - 1, sum(block));
        return block;
    }

    private static void octal(byte[] block, int at, int bytes, long value) {
        String digits = String.format("%0" + (bytes - 1) + "o", value);
        if (digits.length() >= bytes) {
            throw new IllegalArgumentException(value + " is too large for a tar");
        }
        System.arraycopy(digits.getBytes(StandardCharsets.US_ASCII), 0, block, at, bytes - 1);
    }

    /** Of all bytes, the sum's own counted as blanks. */
    private static int sum(byte[] block) {
        int sum = 0;
        for (int i = 0; i < BYTES; i++) {
            sum += i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : block[i] & 0xff;
        }
        return sum;
    }

    static boolean isEnd(byte[] block) {
        return Arrays.equals(block, new byte[BYTES]);
    }

    /** @throws ManifestException when it is none */
    static TarHeader read(byte[] block) throws ManifestException {
        if (number(block, SUM_AT, SUM_BYTES) != sum(block)) {
            throw new ManifestException("it is no tar, or one of its headers is damaged");
        }
        boolean ustar = text(block, MAGIC_AT, 5).equals("ustar");
        String prefix = ustar ? text(block, PREFIX_AT, PREFIX_BYTES) : "";
        String name = text(block, 0, NAME_BYTES);
        char type = block[TYPE_AT] == 0 ? FILE : (char) block[TYPE_AT];
        return new TarHeader(prefix.isEmpty() ? name : prefix + "/" + name, number(block, SIZE_AT, NUMBER_BYTES), type);
    }

    private static String text(byte[] block, int at, int bytes) {
        int end = at;
        while (end < at + bytes && block[end] != 0) {
            end++;
        }
        return new String(block, at, end - at, StandardCharsets.UTF_8);
    }

    private static long number(byte[] block, int at, int bytes) throws ManifestException {
        String digits = text(block, at, bytes).strip();
        if (!digits.matches("[0-7]{1,12}")) {
            throw new ManifestException("it is no tar, or has a number in a header that is not read here");
        }
        return Long.parseLong(digits, 8);
    }
}
