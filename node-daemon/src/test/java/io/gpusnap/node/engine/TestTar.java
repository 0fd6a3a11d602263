package io.gpusnap.node.engine;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Headers of tars as no archive of ours has them. */
final class TestTar {

    private static final int BLOCK_BYTES = 512;
    private static final int SUM_AT = 148;

    private TestTar() {}

    /** A header with a sum that is right, of an entry without content unless it claims one. */
    static byte[] header(char type, String name, String link, long size) {
        byte[] block = new byte[BLOCK_BYTES];
        put(block, 0, name);
        put(block, 100, "0000644");
        put(block, 108, "0000000");
        put(block, 116, "0000000");
        put(block, 124, String.format("%011o", size));
        put(block, 136, "00000000000");
        block[156] = (byte) type;
        put(block, 157, link);
        put(block, 257, "ustar\00000");
        return summed(block);
    }

    static byte[] summed(byte[] block) {
        Arrays.fill(block, SUM_AT, SUM_AT + 8, (byte) ' ');
        int sum = 0;
        for (byte one : block) {
            sum += one & 0xff;
        }
        put(block, SUM_AT, String.format("%06o", sum));
        block[SUM_AT + 6] = 0;
        return block;
    }

    private static void put(byte[] block, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, block, at, bytes.length);
    }

    static byte[] before(byte[] tar, byte[] entry) {
        byte[] both = Arrays.copyOf(entry, entry.length + tar.length);
        System.arraycopy(tar, 0, both, entry.length, tar.length);
        return both;
    }

    /** In front of the zeros that end a tar. */
    static byte[] after(byte[] tar, byte[] entry) {
        int end = tar.length;
        while (end >= BLOCK_BYTES && isZero(tar, end - BLOCK_BYTES)) {
            end -= BLOCK_BYTES;
        }
        byte[] all = Arrays.copyOf(tar, tar.length + entry.length);
        System.arraycopy(entry, 0, all, end, entry.length);
        Arrays.fill(all, end + entry.length, all.length, (byte) 0);
        return all;
    }

    private static boolean isZero(byte[] tar, int at) {
        return Arrays.equals(tar, at, at + BLOCK_BYTES, new byte[BLOCK_BYTES], 0, BLOCK_BYTES);
    }
}
