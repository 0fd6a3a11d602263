package io.gpusnap.gpu;

/**
 * Whether files can be read straight into device memory.
 *
 * @param available {@link Storage#read} works
 * @param direct its bytes do not pass through host memory
 * @param reason for people: why not, or how
 */
public record StorageInfo(boolean available, boolean direct, String reason) {

    static StorageInfo from(Struct struct) {
        return new StorageInfo(struct.getFlag("available"), struct.getFlag("direct"), struct.getText("reason"));
    }
}
