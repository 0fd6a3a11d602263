package io.gpusnap.node.tier;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.key.KeyFolder;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/** {@code keys/} of the node's own store. One daemon has the store, so nobody comes between a look and a write. */
record NodeKeyFolder(StoreRoot root) implements KeyFolder {

    private Path file(ChunkDigest name) {
        return root.keys().resolve(name.hex());
    }

    @Override
    public synchronized Optional<byte[]> find(ChunkDigest name) throws TierException {
        Path file = file(name);
        try {
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                return Optional.empty();
            }
            if (Files.size(file) > MOST_BYTES) {
                throw new TierException(Reason.CORRUPT, file + " is too long for a wrapped key");
            }
            return Optional.of(Files.readAllBytes(file));
        } catch (IOException e) {
            throw DiskErrors.typed("read", file, e);
        }
    }

    @Override
    public synchronized void putIfAbsent(ChunkDigest name, byte[] content) throws TierException {
        if (find(name).isEmpty()) {
            replace(name, content);
        }
    }

    @Override
    public synchronized void replace(ChunkDigest name, byte[] content) throws TierException {
        root.files().write(file(name), MemorySegment.ofArray(content));
        root.files().sync();
    }

    boolean isEmpty() throws TierException {
        try {
            return Folders.list(root.keys()).isEmpty();
        } catch (IOException e) {
            throw DiskErrors.typed("list", root.keys(), e);
        }
    }

    @Override
    public String location() {
        return root.path().toString();
    }
}
