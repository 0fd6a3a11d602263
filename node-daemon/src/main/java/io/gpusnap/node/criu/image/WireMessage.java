package io.gpusnap.node.criu.image;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** One message in the wire format of Protocol Buffers, as far as CRIU's images use it: numbers and nested messages. */
final class WireMessage {

    private static final int NUMBER = 0;
    private static final int EIGHT_BYTES = 1;
    private static final int NESTED = 2;
    private static final int FOUR_BYTES = 5;
    private static final int MAX_VARINT_BYTES = 10;

    private record Number(int field, long value) {}

    private record Nested(int field, int start, int end) {}

    private final byte[] bytes;
    private final List<Number> numbers = new ArrayList<>();
    private final List<Nested> nested = new ArrayList<>();
    private int position;

    private WireMessage(byte[] bytes, int start) {
        this.bytes = bytes;
        this.position = start;
    }

    static WireMessage parse(byte[] bytes) throws StrangeImageException {
        return parse(bytes, 0, bytes.length);
    }

    private static WireMessage parse(byte[] bytes, int start, int end) throws StrangeImageException {
        WireMessage message = new WireMessage(bytes, start);
        while (message.position < end) {
            message.field(end);
        }
        return message;
    }

    private void field(int end) throws StrangeImageException {
        long tag = varint(end);
        int field = (int) (tag >>> 3);
        switch ((int) (tag & 7)) {
            case NUMBER -> numbers.add(new Number(field, varint(end)));
            case EIGHT_BYTES -> skip(Long.BYTES, end);
            case FOUR_BYTES -> skip(Integer.BYTES, end);
            case NESTED -> {
                long length = varint(end);
                int from = position;
                skip(length, end);
                nested.add(new Nested(field, from, position));
            }
            default -> throw new StrangeImageException("a field of wire type " + (tag & 7));
        }
    }

    private long varint(int end) throws StrangeImageException {
        long value = 0;
        for (int i = 0; i < MAX_VARINT_BYTES; i++) {
            if (position >= end) {
                throw new StrangeImageException("a message ends in a number");
            }
            byte part = bytes[position++];
            value |= (long) (part & 0x7f) << (7 * i);
            if (part >= 0) {
                return value;
            }
        }
        throw new StrangeImageException("a number of more than 64 bits");
    }

    private void skip(long length, int end) throws StrangeImageException {
        if (length < 0 || length > end - position) {
            throw new StrangeImageException("a message ends in a field");
        }
        position += (int) length;
    }

    /** The last one wins, as the format says. */
    OptionalLong number(int field) {
        return numbers.stream()
                .filter(number -> number.field() == field)
                .mapToLong(Number::value)
                .reduce((first, last) -> last);
    }

    /** @throws StrangeImageException when it is not there */
    long required(int field) throws StrangeImageException {
        return number(field).orElseThrow(() -> new StrangeImageException("field " + field + " is missing"));
    }

    List<WireMessage> nested(int field) throws StrangeImageException {
        List<WireMessage> found = new ArrayList<>();
        for (Nested message : nested) {
            if (message.field() == field) {
                found.add(parse(bytes, message.start(), message.end()));
            }
        }
        return found;
    }

    /** Whether there is nothing in it but numbers of these fields. */
    boolean hasOnlyNumbers(int highestField) {
        return nested.isEmpty() && numbers.stream().allMatch(number -> number.field() <= highestField);
    }

    static void write(ByteArrayOutputStream out, int field, long value) {
        varint(out, (long) field << 3 | NUMBER);
        varint(out, value);
    }

    private static void varint(ByteArrayOutputStream out, long value) {
        long left = value;
        while ((left & ~0x7fL) != 0) {
            out.write((int) (left & 0x7f | 0x80));
            left >>>= 7;
        }
        out.write((int) left);
    }
}
