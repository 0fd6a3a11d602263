package io.gpusnap.service.schedule;

import io.gpusnap.service.platform.id.NodeId;
import java.time.Instant;
import java.util.List;

/**
 * Nodes whose GPUs several models share.
 *
 * @param nodes a node is in one pool at most
 * @param version for the ETag
 */
public record Pool(
        String name, List<NodeId> nodes, List<Member> models, long version, Instant createdAt, Instant updatedAt) {

    /**
     * What one model is to have.
     *
     * @param versionName the version that new replicas come from
     * @param keepAliveSeconds a replica that is not wanted any more stays this long, if nobody else waits
     * @param minResidencySeconds a replica that has started is left alone this long
     */
    public record Member(
            String model,
            String versionName,
            int desiredReplicas,
            int priority,
            int keepAliveSeconds,
            int minResidencySeconds) {}
}
