package io.gpusnap.gpu;

import java.util.Set;

/**
 * What a workload's preload says of itself.
 *
 * @param refusals why a freeze would be refused; empty when it would not
 * @param allocationCount physical allocations that the preload manages
 * @param driverBytes device memory that stays with the driver, as far as the preload saw it
 */
public record TargetStatus(
        TargetState state,
        Set<Refusal> refusals,
        int protocolVersion,
        long allocationCount,
        long managedBytes,
        long driverBytes,
        String preloadVersion) {

    public TargetStatus {
        refusals = Set.copyOf(refusals);
    }

    static TargetStatus from(Struct struct) throws GpuException {
        return new TargetStatus(
                TargetState.of(struct.getInt("state")),
                Refusal.of(struct.getInt("refusals")),
                struct.getInt("protocol_version"),
                struct.getLong("allocation_count"),
                struct.getLong("managed_bytes"),
                struct.getLong("driver_bytes"),
                struct.getText("preload_version"));
    }
}
