package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.nio.charset.StandardCharsets;

/** One C struct in native memory, its fields by name. */
record Struct(MemorySegment segment, StructLayout layout) {

    /** All zero, but for {@code struct_size} where the struct has one. */
    static Struct allocate(SegmentAllocator allocator, StructLayout layout) {
        Struct struct = new Struct(allocator.allocate(layout).fill((byte) 0), layout);
        if (layout.memberLayouts().getFirst().name().orElse("").equals("struct_size")) {
            struct.setInt("struct_size", (int) layout.byteSize());
        }
        return struct;
    }

    /** The elements of a C array. */
    static Struct element(MemorySegment array, StructLayout layout, long index) {
        return new Struct(array.asSlice(index * layout.byteSize(), layout), layout);
    }

    int getInt(String field) {
        return segment.get(JAVA_INT, offset(field));
    }

    long getLong(String field) {
        return segment.get(JAVA_LONG, offset(field));
    }

    boolean getFlag(String field) {
        return segment.get(JAVA_BYTE, offset(field)) != 0;
    }

    String getText(String field) {
        return segment.getString(offset(field), StandardCharsets.UTF_8);
    }

    byte[] getBytes(String field) {
        long count = layout.select(PathElement.groupElement(field)).byteSize();
        return segment.asSlice(offset(field), count).toArray(JAVA_BYTE);
    }

    void setInt(String field, int value) {
        segment.set(JAVA_INT, offset(field), value);
    }

    void setLong(String field, long value) {
        segment.set(JAVA_LONG, offset(field), value);
    }

    void setAddress(String field, MemorySegment value) {
        segment.set(ADDRESS, offset(field), value);
    }

    /** @throws IllegalArgumentException when the field is too short for the text and its end */
    void setText(String field, String value) {
        long capacity = layout.select(PathElement.groupElement(field)).byteSize();
        if (value.getBytes(StandardCharsets.UTF_8).length >= capacity) {
            throw new IllegalArgumentException(field + " is too long: " + value);
        }
        segment.setString(offset(field), value, StandardCharsets.UTF_8);
    }

    private long offset(String field) {
        return layout.byteOffset(PathElement.groupElement(field));
    }
}
