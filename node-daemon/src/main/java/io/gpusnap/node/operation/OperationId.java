package io.gpusnap.node.operation;

import java.util.UUID;

/** Identity of one operation, given by the service or, for work by hand, by {@link #random()}. */
public record OperationId(UUID value) {

    public static OperationId random() {
        return new OperationId(UUID.randomUUID());
    }

    /** @throws IllegalArgumentException when the text is not a UUID */
    public static OperationId parse(String text) {
        return new OperationId(UUID.fromString(text));
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
