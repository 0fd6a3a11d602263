package io.gpusnap.service.schedule.web;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.schedule.Pool;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.List;

/** A pool as callers see it. */
@Schema(name = "Pool")
record PoolResource(String name, List<NodeId> nodeIds, List<PoolModel> models, Instant createdAt, Instant updatedAt) {

    static PoolResource of(Pool pool) {
        return new PoolResource(
                pool.name(),
                pool.nodes(),
                pool.models().stream().map(PoolModel::of).toList(),
                pool.createdAt(),
                pool.updatedAt());
    }
}
