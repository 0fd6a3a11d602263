package io.gpusnap.service.platform.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.UUID;

/** Names a rollout. */
public record RolloutId(@JsonValue UUID value) {

    /** A new id, greater than every id made before it in this process. */
    public static RolloutId next() {
        return new RolloutId(Uuid7.next());
    }

    /**
     * Reads an id.
     *
     * @param text a UUID in its canonical form
     * @throws IllegalArgumentException if it is not one
     */
    @JsonCreator
    public static RolloutId of(String text) {
        return new RolloutId(Uuid7.parse(text));
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
