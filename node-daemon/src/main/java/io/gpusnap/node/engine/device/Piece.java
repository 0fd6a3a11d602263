package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.DeviceSpan;
import io.gpusnap.node.tier.Slot;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * One chunk's place in imported device memory.
 *
 * @param number counts the chunks of the allocation from 0
 */
record Piece(Allocation allocation, int number, int sizeBytes) {

    /** All of some allocations, in their order. */
    static List<Piece> of(List<Allocation> allocations) {
        List<Piece> pieces = new ArrayList<>();
        for (Allocation allocation : allocations) {
            int count = count(allocation);
            for (int number = 0; number < count; number++) {
                long left = allocation.sizeBytes() - (long) number * Slot.BYTES;
                pieces.add(new Piece(allocation, number, (int) Math.min(Slot.BYTES, left)));
            }
        }
        return pieces;
    }

    static int count(Allocation allocation) {
        return Math.toIntExact(Math.ceilDiv(allocation.sizeBytes(), Slot.BYTES));
    }

    /** On how many GPUs they are. */
    static int gpus(Stream<Piece> pieces) {
        return (int) pieces.mapToInt(Piece::gpuOrdinal).distinct().count();
    }

    int gpuOrdinal() {
        return allocation.gpuOrdinal();
    }

    long address() {
        return allocation.localAddress() + (long) number * Slot.BYTES;
    }

    /** Whether it begins where the other ends, in this process and in the allocation. */
    boolean follows(Piece other) {
        return allocation.equals(other.allocation) && number == other.number + 1;
    }

    DeviceSpan span() {
        return new DeviceSpan(address(), sizeBytes);
    }
}
