package io.gpusnap.service.platform.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.UUID;

/** Names a decision of the scheduler on a pool. */
public record PoolDecisionId(@JsonValue UUID value) {

    /** A new id, greater than every id made before it in this process. */
    public static PoolDecisionId next() {
        return new PoolDecisionId(Uuid7.next());
    }

    /**
     * Reads an id.
     *
     * @param text a UUID in its canonical form
     * @throws IllegalArgumentException if it is not one
     */
    @JsonCreator
    public static PoolDecisionId of(String text) {
        return new PoolDecisionId(Uuid7.parse(text));
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
