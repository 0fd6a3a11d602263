package io.gpusnap.node.engine;

import io.gpusnap.node.store.SnapshotId;
import java.util.List;

/** Remembered by a switch's preflight: the candidates that make room, by what they are then frozen as. */
record SwitchChoice(List<SnapshotId> suspended) {

    SwitchChoice {
        suspended = List.copyOf(suspended);
    }
}
