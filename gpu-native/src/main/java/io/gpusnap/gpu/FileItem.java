package io.gpusnap.gpu;

import java.nio.file.Path;

/**
 * A piece of a file and where it goes.
 *
 * @param path a regular file; a symbolic link is refused
 * @param deviceAddress an allocation's local address and an offset in it
 */
public record FileItem(Path path, long fileOffset, long deviceAddress, long sizeBytes) {

    public FileItem {
        if (fileOffset < 0 || sizeBytes < 0) {
            throw new IllegalArgumentException("%d bytes at %d are in no file".formatted(sizeBytes, fileOffset));
        }
    }
}
