package io.gpusnap.service.platform.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.UUID;

/** Names a store: what holds chunks. A shared one has the same id on every node that sees it. */
public record StoreId(@JsonValue UUID value) {

    /** A new id, greater than every id made before it in this process. */
    public static StoreId next() {
        return new StoreId(Uuid7.next());
    }

    /**
     * Reads an id.
     *
     * @param text a UUID in its canonical form
     * @throws IllegalArgumentException if it is not one
     */
    @JsonCreator
    public static StoreId of(String text) {
        return new StoreId(Uuid7.parse(text));
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
