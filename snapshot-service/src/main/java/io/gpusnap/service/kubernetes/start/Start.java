package io.gpusnap.service.kubernetes.start;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.RestoreId;
import java.util.Optional;
import java.util.UUID;

/**
 * How a pod starts.
 *
 * @param node that was chosen for it
 * @param restore once there is one
 * @param code why it starts cold
 * @param overdue whether the time of its thaw is over
 */
public record Start(
        UUID podUid,
        String namespace,
        String name,
        Phase phase,
        Optional<NodeId> node,
        Optional<RestoreId> restore,
        Optional<String> code,
        Optional<String> reason,
        boolean overdue) {

    /** How far it is; RESTORED and COLD are for good. */
    public enum Phase {
        /** Its node is chosen; its container does not wait yet. */
        PLACED,
        /** A restore is on its way. */
        THAWING,
        RESTORED,
        COLD
    }
}
