package io.gpusnap.service.schedule.web;

import io.gpusnap.service.platform.validation.DnsLabel;
import io.gpusnap.service.schedule.Pool;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one model is to have in a pool.
 *
 * @param version that new replicas come from
 * @param priority higher goes first; absent is 0
 * @param keepAliveSeconds a replica that is not wanted any more stays this long, if nobody else waits; absent is 300
 * @param minResidencySeconds a replica that has started is left alone this long; absent is 60
 */
record PoolModel(
        @NotNull @DnsLabel String model,
        @NotNull @DnsLabel String version,
        @NotNull @Min(0) @Max(100_000) Integer desiredReplicas,
        @Min(-1000) @Max(1000) @Nullable Integer priority,
        @Min(0) @Max(604_800) @Nullable Integer keepAliveSeconds,
        @Min(0) @Max(604_800) @Nullable Integer minResidencySeconds) {
    private static final int KEEP_ALIVE_SECONDS = 300;
    private static final int MIN_RESIDENCY_SECONDS = 60;

    static List<Pool.Member> members(List<PoolModel> models) {
        return models.stream().map(PoolModel::member).toList();
    }

    private Pool.Member member() {
        return new Pool.Member(
                model,
                version,
                desiredReplicas,
                Objects.requireNonNullElse(priority, 0),
                Objects.requireNonNullElse(keepAliveSeconds, KEEP_ALIVE_SECONDS),
                Objects.requireNonNullElse(minResidencySeconds, MIN_RESIDENCY_SECONDS));
    }

    static PoolModel of(Pool.Member member) {
        return new PoolModel(
                member.model(),
                member.versionName(),
                member.desiredReplicas(),
                member.priority(),
                member.keepAliveSeconds(),
                member.minResidencySeconds());
    }
}
