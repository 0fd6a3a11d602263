package io.gpusnap.gpu;

import java.util.EnumSet;
import java.util.Set;

/** Why a workload cannot be frozen; the constants are in the order of the bits {@code GPUSNAP_REFUSE_*}. */
public enum Refusal {
    MANAGED_MEMORY,
    MIG,
    /** Device memory is shared with another process. */
    LEGACY_IPC,
    MULTICAST,
    MPS,
    /** A reason of a newer preload. */
    OTHER;

    static Set<Refusal> of(int bits) {
        Set<Refusal> refusals = EnumSet.noneOf(Refusal.class);
        for (Refusal refusal : values()) {
            if (refusal != OTHER && (bits & 1 << refusal.ordinal()) != 0) {
                refusals.add(refusal);
            }
        }
        if (bits >>> OTHER.ordinal() != 0) {
            refusals.add(OTHER);
        }
        return Set.copyOf(refusals);
    }
}
