package io.gpusnap.node.store;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.UUID;

/** Identity of one snapshot, given by the service or, for work by hand, by {@link #random()}. */
public record SnapshotId(@JsonValue UUID value) {

    public static SnapshotId random() {
        return new SnapshotId(UUID.randomUUID());
    }

    /** @throws IllegalArgumentException when the text is not a UUID in its canonical form */
    @JsonCreator
    public static SnapshotId parse(String text) {
        UUID parsed = UUID.fromString(text);
        if (!parsed.toString().equals(text)) {
            throw new IllegalArgumentException("not a canonical UUID: " + text);
        }
        return new SnapshotId(parsed);
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
