package io.gpusnap.service.node.web;

import io.gpusnap.service.platform.id.OperationId;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * What the daemon should know.
 *
 * @param serverTime the database's clock; a daemon whose own differs should say so in its log
 * @param cancelOperations running here, asked to be cancelled
 * @param fencedOperations reported as running but no longer this daemon's: stop and undo, report nothing
 * @param endWorkloads processes that came back on another node while this one was not heard: end them
 * @param coldPods UIDs of pods that nothing is thawed into any more: have those of their containers that still wait start their own
 *     command
 */
record HeartbeatReply(
        Instant serverTime,
        List<OperationId> cancelOperations,
        List<OperationId> fencedOperations,
        List<EndedProcess> endWorkloads,
        List<UUID> coldPods) {

    /** A process that is elsewhere by now. */
    record EndedProcess(int pid, long startTimeTicks) {}
}
