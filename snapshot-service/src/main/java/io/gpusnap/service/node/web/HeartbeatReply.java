package io.gpusnap.service.node.web;

import io.gpusnap.service.platform.id.OperationId;
import java.time.Instant;
import java.util.List;

/**
 * What the daemon should know.
 *
 * @param serverTime the database's clock; a daemon whose own differs should say so in its log
 * @param cancelOperations running here, asked to be cancelled
 * @param fencedOperations reported as running but no longer this daemon's: stop and undo, report nothing
 */
record HeartbeatReply(Instant serverTime, List<OperationId> cancelOperations, List<OperationId> fencedOperations) {}
