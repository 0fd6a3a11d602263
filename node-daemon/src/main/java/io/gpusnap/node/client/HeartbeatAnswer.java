package io.gpusnap.node.client;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * @param cancelOperations to be cancelled on somebody's request
 * @param fencedOperations no longer this daemon's
 * @param endWorkloads they are elsewhere by now; absent from services that do not recover any
 * @param coldPods UIDs of pods that nothing is thawed into any more; absent from services that do not tell
 */
public record HeartbeatAnswer(
        Instant serverTime,
        List<UUID> cancelOperations,
        List<UUID> fencedOperations,
        @Nullable List<EndedProcess> endWorkloads,
        @Nullable List<String> coldPods) {

    /** A process of this node that came back on another one while this one was not heard. */
    public record EndedProcess(int pid, long startTimeTicks) {}
}
