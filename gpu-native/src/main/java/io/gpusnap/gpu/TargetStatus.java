package io.gpusnap.gpu;

import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a workload's preload says of itself.
 *
 * @param refusals why a freeze would be refused; empty when it would not
 * @param endable reasons, there or not, that a quiesce callback of the application may end: a quiesce looks at them after its
 *     callbacks. Empty without callbacks
 * @param allocationCount physical allocations that the preload manages
 * @param driverBytes device memory that stays with the driver, as far as the preload saw it
 */
public record TargetStatus(
        TargetState state,
        Set<Refusal> refusals,
        Set<Refusal> endable,
        int protocolVersion,
        long allocationCount,
        long managedBytes,
        long driverBytes,
        String preloadVersion) {

    public TargetStatus {
        refusals = Set.copyOf(refusals);
        endable = Set.copyOf(endable);
    }

    /** What will be refused, whatever the application does before. */
    public Set<Refusal> certainRefusals() {
        return refusals.stream().filter(refusal -> !endable.contains(refusal)).collect(Collectors.toUnmodifiableSet());
    }

    /** Whether the application does something of its own before a freeze. */
    public boolean hasQuiesceCallbacks() {
        return !endable.isEmpty();
    }

    static TargetStatus from(Struct struct) throws GpuException {
        return new TargetStatus(
                TargetState.of(struct.getInt("state")),
                Refusal.of(struct.getInt("refusals")),
                Refusal.of(struct.getInt("endable")),
                struct.getInt("protocol_version"),
                struct.getLong("allocation_count"),
                struct.getLong("managed_bytes"),
                struct.getLong("driver_bytes"),
                struct.getText("preload_version"));
    }
}
