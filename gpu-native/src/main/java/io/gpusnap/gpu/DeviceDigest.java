package io.gpusnap.gpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * What a piece of device memory held.
 *
 * @param hex its {@code sha256-tree-4k} as 64 lower-case hex digits, also when it is zero
 * @param zero nothing but zero bytes
 */
public record DeviceDigest(String hex, boolean zero) {

    static List<DeviceDigest> all(MemorySegment array, long count) {
        List<DeviceDigest> digests = new ArrayList<>();
        for (long index = 0; index < count; index++) {
            Struct struct = Struct.element(array, Layouts.DIGEST, index);
            digests.add(
                    new DeviceDigest(HexFormat.of().formatHex(struct.getBytes("sha256_tree")), struct.getFlag("zero")));
        }
        return List.copyOf(digests);
    }
}
