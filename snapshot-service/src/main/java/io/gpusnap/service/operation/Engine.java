package io.gpusnap.service.operation;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;

/** How a process is frozen. The wire name is also the name of the daemon's capability. */
public enum Engine {
    /** The full process: device memory by the mover, the rest by CRIU. */
    CRIU_CUDA("criu+cuda"),
    /** The process stays alive and frozen on its node; only its device memory leaves. */
    SUSPEND("suspend");

    private final String wireName;

    Engine(String wireName) {
        this.wireName = wireName;
    }

    @JsonValue
    public String wireName() {
        return wireName;
    }

    /**
     * The engine of a wire name.
     *
     * @throws IllegalArgumentException if there is no such engine
     */
    @JsonCreator
    public static Engine of(String wireName) {
        return Arrays.stream(values())
                .filter(engine -> engine.wireName.equals(wireName))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no such engine"));
    }

    @Override
    public String toString() {
        return wireName;
    }
}
