package io.gpusnap.service.platform.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.UUID;

/** Names the recovery of a process of a lost node. */
public record RecoveryId(@JsonValue UUID value) {

    /** A new id, greater than every id made before it in this process. */
    public static RecoveryId next() {
        return new RecoveryId(Uuid7.next());
    }

    /**
     * Reads an id.
     *
     * @param text a UUID in its canonical form
     * @throws IllegalArgumentException if it is not one
     */
    @JsonCreator
    public static RecoveryId of(String text) {
        return new RecoveryId(Uuid7.parse(text));
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
