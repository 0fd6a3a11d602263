package io.gpusnap.service.platform.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.UUID;

/** Names a row of a history, such as a move of an alias. */
public record HistoryId(@JsonValue UUID value) {

    /** A new id, greater than every id made before it in this process. */
    public static HistoryId next() {
        return new HistoryId(Uuid7.next());
    }

    /**
     * Reads an id.
     *
     * @param text a UUID in its canonical form
     * @throws IllegalArgumentException if it is not one
     */
    @JsonCreator
    public static HistoryId of(String text) {
        return new HistoryId(Uuid7.parse(text));
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
