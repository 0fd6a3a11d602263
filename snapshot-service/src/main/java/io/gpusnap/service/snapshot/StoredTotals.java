package io.gpusnap.service.snapshot;

import io.gpusnap.service.operation.Completion;
import jakarta.persistence.Embeddable;

/** {@link Completion.Totals} as columns of the snapshot. */
@Embeddable
record StoredTotals(
        long vramBytes,
        long hostBytes,
        long logicalBytes,
        long storedBytes,
        long chunksTotal,
        long chunksStored,
        long chunksZero) {

    StoredTotals(Completion.Totals totals) {
        this(
                totals.vramBytes(),
                totals.hostBytes(),
                totals.logicalBytes(),
                totals.storedBytes(),
                totals.chunksTotal(),
                totals.chunksStored(),
                totals.chunksZero());
    }

    Completion.Totals toTotals() {
        return new Completion.Totals(
                vramBytes, hostBytes, logicalBytes, storedBytes, chunksTotal, chunksStored, chunksZero);
    }
}
